"""An HTTP server of the tests in place of the other services, and two users with personal data."""

import sys
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import text, update

from cogniflow_dev.testing.servers import json_server
from cogniflow_kit.ids import utc_now
from cogniflow_kit.jobs import Jobs
from users_service.privacy.jobs import FIND_OPEN_JOB, register_privacy_jobs
from users_service.tables import ErasureRequest, metadata

sys.path.insert(0, str(Path(__file__).parents[1] / "support"))

from other_services import OtherServices


@pytest.fixture
def others():
    services = OtherServices()
    with json_server(services.answer) as services.url:
        yield services


@pytest.fixture
def wired_settings(settings, others, tmp_path):
    """Settings with the URLs of this test's server and a ledger of its own."""
    return settings.model_copy(
        update={**others.settings(), "erasure_ledger": tmp_path / "e" / "ledger.jsonl"}
    )


@pytest.fixture
def run_work(database, wired_settings) -> Callable[[], None]:
    """Run the privacy jobs as the worker would, until none is left."""

    def run() -> None:
        jobs = Jobs(database, wired_settings.redis_url.get_secret_value(), wired_settings.schema_name)
        register_privacy_jobs(database, jobs, wired_settings)
        with database.transaction() as db:
            jobs.enqueue(db, FIND_OPEN_JOB)
        next_job = text(
            "SELECT id FROM jobs WHERE status = 'queued' AND name ~ 'person|privacy' ORDER BY id LIMIT 1"
        )
        for _ in range(9):
            with database.transaction() as db:
                db.execute(text("UPDATE jobs SET due_at = now() - interval '1 s' WHERE status = 'queued'"))
                job_id = db.scalar(next_job)
            if job_id is None:
                return
            jobs.perform(str(job_id))

    return run


@pytest.fixture
def maja(make_user, log_in, client):
    user = make_user("maja")
    user.headers = {"Authorization": f"Bearer {log_in(client, 'maja').json()['access_token']}"}
    return user


@pytest.fixture
def noor(make_user, log_in, client):
    user = make_user("noor")
    user.headers = {"Authorization": f"Bearer {log_in(client, 'noor').json()['access_token']}"}
    return user


@pytest.fixture
def make_due(database):
    """Set the due time of erasure requests to the past."""

    def step():
        with database.transaction() as db:
            db.execute(update(ErasureRequest).values(due_at=utc_now() - timedelta(seconds=1)))

    return step


@pytest.fixture
def rows(database):
    """Every row of every table, as text."""

    def read(*, but=()):
        names = [table.fullname for table in metadata.tables.values() if table.name not in but]
        with database.transaction() as db:
            return "".join(
                db.scalar(text(f"SELECT coalesce(json_agg(t)::text, '') FROM {name} t")) for name in names
            )

    return read
