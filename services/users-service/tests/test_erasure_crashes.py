"""An erasure is killed at each of its steps: it finishes all the same, and touches nobody else."""

import os
import signal
import subprocess
import sys
from datetime import timedelta
from pathlib import Path

import pytest
from pydantic import SecretStr
from sqlalchemy import select, update

from cogniflow_dev.testing.databases import committed_database
from cogniflow_dev.testing.servers import json_server
from cogniflow_kit.ids import utc_now
from users_service.bootstrap import bootstrap
from users_service.privacy.fault_points import POINTS
from users_service.privacy.ledger import Ledger
from users_service.privacy.others import other_services
from users_service.privacy.personal_data import personal_data
from users_service.privacy.pipeline import ErasurePipeline
from users_service.settings import Settings
from users_service.tables import ErasureRequest, User, UserProfile

SUPPORT = Path(__file__).parent / "support"
sys.path.insert(0, str(SUPPORT))

from other_services import OtherServices  # noqa: E402 -- the path above


@pytest.fixture
def others():
    services = OtherServices()
    with json_server(services.answer) as services.url:
        yield services


@pytest.fixture
def wired(settings, others, tmp_path):
    return settings.model_copy(update={**others.settings(), "erasure_ledger": tmp_path / "ledger.jsonl"})


@pytest.fixture
def committing(settings):
    with committed_database(settings) as database:
        yield database
    bootstrap(settings)


@pytest.fixture
def people(committing, others):
    """Maja, who asked to be erased 14 days ago, and Noor, who didn't."""

    def add(db, username):
        email = f"{username}@example.org"
        user = User(username=username, full_name=username, email=email, hashed_password="")
        db.add(user)
        db.flush()
        db.add(UserProfile(user_id=user.id, bio=f"{username}'s canary"))
        others.write(user.id, f"{username}'s canary")
        return user.id

    with committing.transaction() as db:
        maja, noor = add(db, "maja"), add(db, "noor")
        request = ErasureRequest(user_id=maja, due_at=utc_now() - timedelta(seconds=1))
        db.add(request)
    return maja, noor, request.id


def environment(settings, **more):
    values = {name: getattr(settings, name) for name in Settings.model_fields}
    shown = {
        name.upper(): str(value.get_secret_value() if isinstance(value, SecretStr) else value)
        for name, value in values.items()
        if value is not None
    }
    return {**os.environ, **shown, **more}


@pytest.mark.parametrize("fault", POINTS)
def test_killed_at_any_step_it_finishes(committing, wired, others, people, fault):
    maja, noor, request_id = people
    command = [sys.executable, str(SUPPORT / "erase_once.py"), str(request_id)]
    killed = subprocess.run(command, env=environment(wired, USERS_FAULT=fault), timeout=60, check=False)
    assert killed.returncode == -signal.SIGKILL, f"the fault {fault} never fired"

    ledger = Ledger(wired.erasure_ledger)
    assert [entry.user_id for entry in ledger.entries()] == ([] if fault == "begun" else [maja])
    pipeline = ErasurePipeline(committing, ledger, other_services(wired), personal_data(committing))
    for _ in range(3):
        with committing.transaction() as db:
            db.execute(update(ErasureRequest).values(due_at=utc_now() - timedelta(seconds=1)))
        pipeline.run({"request_id": str(request_id)})

    with committing.transaction() as db:
        request = db.scalars(select(ErasureRequest)).one()
        assert (request.status, request.passes) == ("finished", 2)
        assert list(db.scalars(select(User.id))) == [noor]
        assert list(db.scalars(select(UserProfile.bio))) == ["noor's canary"]
    assert request.receipts.keys() == {
        f"{part}-service" for part in ("courses", "chat", "analytics", "users")
    }
    assert [entry.user_id for entry in ledger.entries()] == [maja]
    assert {user_id for _, user_id in others.held} == {str(noor)}
    assert len(others.held) == 3


def test_a_fault_is_harmless_outside_tests(wired):
    armed = "from users_service.privacy.fault_points import reach; reach('begun')"
    values = environment(wired, USERS_FAULT="begun", COGNIFLOW_ENV="production")
    assert subprocess.run([sys.executable, "-c", armed], env=values, check=False).returncode == 0
    values["COGNIFLOW_ENV"] = "test"
    killed = subprocess.run([sys.executable, "-c", armed], env=values, check=False)
    assert killed.returncode == -signal.SIGKILL
