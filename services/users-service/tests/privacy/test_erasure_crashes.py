"""An erasure whose process is killed at any step finishes later and erases no other user."""

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
from cogniflow_kit.ids import utc_now
from users_service.bootstrap import bootstrap
from users_service.privacy.erasure_job import ErasureJob
from users_service.privacy.erasure_ledger import ErasureLedger
from users_service.privacy.fault_points import POINTS
from users_service.privacy.personal_data import other_services, own_personal_data
from users_service.settings import Settings
from users_service.tables import ErasureRequest, User, UserProfile

SUPPORT = Path(__file__).parents[1] / "support"


@pytest.fixture
def committing_database(settings):
    with committed_database(settings) as database:
        yield database
    bootstrap(settings)


@pytest.fixture
def people(committing_database, others):
    """Maja, who asked to be erased 14 days ago, and Noor, who didn't."""

    def add(db, username):
        email = f"{username}@example.org"
        user = User(username=username, full_name=username, email=email, hashed_password="")
        db.add(user)
        db.flush()
        db.add(UserProfile(user_id=user.id, bio=f"{username}'s canary"))
        others.write(user.id, f"{username}'s canary")
        return user.id

    with committing_database.transaction() as db:
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
def test_an_erasure_killed_at_any_step_finishes_later(
    committing_database, wired_settings, others, people, fault
):
    maja, noor, request_id = people
    command = [sys.executable, str(SUPPORT / "erase_once.py"), str(request_id)]
    killed = subprocess.run(
        command, env=environment(wired_settings, USERS_FAULT=fault), timeout=60, check=False
    )
    assert killed.returncode == -signal.SIGKILL, f"the fault point {fault} was never reached"

    ledger = ErasureLedger(wired_settings.erasure_ledger)
    assert [entry.user_id for entry in ledger.entries()] == ([] if fault == "started" else [maja])
    job = ErasureJob(
        committing_database, ledger, other_services(wired_settings), own_personal_data(committing_database)
    )
    for _ in range(3):
        with committing_database.transaction() as db:
            db.execute(update(ErasureRequest).values(due_at=utc_now() - timedelta(seconds=1)))
        job.run({"request_id": str(request_id)})

    with committing_database.transaction() as db:
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


def test_fault_points_are_disabled_outside_tests(wired_settings):
    armed = "from users_service.privacy.fault_points import reach; reach('started')"
    values = environment(wired_settings, USERS_FAULT="started", COGNIFLOW_ENV="production")
    assert subprocess.run([sys.executable, "-c", armed], env=values, check=False).returncode == 0
    values["COGNIFLOW_ENV"] = "test"
    killed = subprocess.run([sys.executable, "-c", armed], env=values, check=False)
    assert killed.returncode == -signal.SIGKILL
