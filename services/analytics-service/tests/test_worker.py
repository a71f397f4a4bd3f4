"""The worker in a process of its own, stopped by SIGTERM."""

import os
import signal
import subprocess
import sys
import time
from uuid import uuid4

import pytest
from pydantic import SecretStr
from sqlalchemy import func, select, text

from analytics_service.tables import CourseDay
from cogniflow_kit.sql.database import Database


@pytest.fixture
def start_worker(settings, committing_database, redis):
    """Call it to start `python -m analytics_service.worker` with the settings of the tests."""
    processes = []

    def start(heartbeat):
        values = settings.model_dump(exclude_none=True) | {"worker_heartbeat": heartbeat}
        plain = {
            name.upper(): value.get_secret_value() if isinstance(value, SecretStr) else str(value)
            for name, value in values.items()
        }
        command = [sys.executable, "-m", "analytics_service.worker"]
        processes.append(subprocess.Popen(command, env=os.environ | plain))
        return processes[-1]

    yield start
    for process in processes:
        process.kill()
        process.wait()


def counted(database: Database) -> int | None:
    with database.transaction() as db:
        return db.scalar(select(func.sum(CourseDay.events)))


def test_worker_computes_daily_counts_and_stops_on_sigterm(
    start_worker, committing_database, deliver, make_event, tmp_path
):
    course_id = uuid4()
    deliver(*(make_event(course_id=course_id) for _ in range(3)))
    heartbeat = tmp_path / "heartbeat"
    process = start_worker(heartbeat)
    deadline = time.monotonic() + 30
    while counted(committing_database) != 3 and time.monotonic() < deadline:
        time.sleep(0.1)
    assert counted(committing_database) == 3
    assert heartbeat.exists()
    process.send_signal(signal.SIGTERM)
    assert process.wait(timeout=20) == 0
    with committing_database.transaction() as db:
        done = text("SELECT status FROM jobs WHERE name = 'course_analytics'")
        assert db.scalars(done).all() == ["done"]
