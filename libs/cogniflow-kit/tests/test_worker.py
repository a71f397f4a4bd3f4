"""The worker as a process: its roles, its end, and what another one makes of its sudden death."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from threading import Lock

import pytest
from sqlalchemy import create_engine, text

from cogniflow_dev.testing.servers import json_server
from cogniflow_kit.events import Event
from cogniflow_kit.jobs import Jobs
from cogniflow_kit.sql.outbox import record

PROGRAM = Path(__file__).parent / "worker_program.py"


@pytest.fixture
def start(settings, database, redis_prefix, tmp_path):
    """Starts a worker with these roles; every one is gone after the test."""
    processes: list[subprocess.Popen[bytes]] = []

    def run(*roles: str, **environment: str) -> subprocess.Popen[bytes]:
        command = [sys.executable, str(PROGRAM), *(f"--role={role}" for role in roles)]
        own = {
            "COGNIFLOW_ENV": "test",
            "SERVICE_CLIENT_SECRET": "secret",
            "DATABASE_URL": settings.database_url.get_secret_value(),
            "REDIS_URL": settings.redis_url.get_secret_value(),
            "REDIS_PREFIX": redis_prefix,
            "WORKER_HEARTBEAT": str(tmp_path / "heartbeat"),
        }
        processes.append(subprocess.Popen(command, env={**os.environ, **own, **environment}))
        return processes[-1]

    yield run
    for process in processes:
        process.kill()
        process.wait()


@pytest.fixture
def jobs(database, settings, redis_prefix):
    return Jobs(database, settings.redis_url.get_secret_value(), redis_prefix)


@pytest.fixture
def query(database):
    def run(statement: str):
        with database.transaction() as session:
            return session.execute(text(statement)).all()

    return run


def wait_until(condition: Callable[[], object], seconds: float = 20) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it didn't happen in time"
        time.sleep(0.05)


def stop(process: subprocess.Popen[bytes]) -> None:
    process.send_signal(signal.SIGTERM)
    assert process.wait(timeout=20) == 0


def enqueue(jobs, database, **arguments) -> None:
    with database.transaction() as session:
        jobs.enqueue(session, "count", json.dumps(arguments))


def things(query) -> dict[str, int]:
    return {row.name: row.count for row in query("SELECT name, count FROM things")}


def test_a_worker_killed_in_a_job_another_one_finishes_it(start, jobs, database, query, tmp_path):
    enqueue(jobs, database, name="survives", hangs_once=str(tmp_path / "hung"))
    first = start("jobs")
    wait_until((tmp_path / "hung").exists)
    first.send_signal(signal.SIGKILL)
    first.wait()
    assert [row.status for row in query("SELECT status FROM jobs")] == ["running"]

    second = start("jobs", "scheduler")
    with database.transaction() as session:  # as if the five minutes of its lease had passed
        session.execute(text("UPDATE jobs SET due_at = now(), sent_at = now() - interval '1 minute'"))
    wait_until(lambda: things(query).get("survives"))
    stop(second)
    assert things(query)["survives"] == 1
    [row] = query("SELECT status, attempts FROM jobs WHERE name = 'count'")
    assert tuple(row) == ("done", 2)


def test_sigterm_lets_the_job_in_hand_finish(start, jobs, database, query, tmp_path):
    worker = start("jobs")
    enqueue(jobs, database, name="in hand", seconds=2)
    wait_until(lambda: query("SELECT 1 FROM jobs WHERE status = 'running'"))
    started = time.monotonic()
    stop(worker)
    assert time.monotonic() - started < 10
    assert things(query) == {"in hand": 1}
    assert [row.status for row in query("SELECT status FROM jobs")] == ["done"]


def test_two_schedulers_fill_each_slot_once(start, query):
    workers = [start("scheduler"), start("scheduler")]
    wait_until(lambda: len(query("SELECT 1 FROM jobs WHERE name = 'tick'")) >= 4)
    for worker in workers:
        stop(worker)
    slots = [row.slot for row in query("SELECT slot FROM jobs WHERE name = 'tick'")]
    assert len(slots) == len(set(slots))
    assert query("SELECT 1 FROM jobs WHERE status <> 'queued'") == [], "schedulers don't do the work"
    assert len(query("SELECT 1 FROM jobs WHERE name = 'prune'")) in (1, 2)


def test_all_roles_in_one_process(start, query, database, settings, tmp_path):
    delivered, lock = [], Lock()

    def answer(call):
        if call.path == "/internal/tokens":
            return 200, {"access_token": "token", "expires_in": 60}
        with lock:
            delivered.extend(event["id"] for event in json.loads(call.body)["events"])
        return 200, {"accepted": 1, "rejected": []}

    facts = [Event(type="thing.made") for _ in range(3)]
    with database.transaction() as session:
        for fact in facts:
            record(session, fact)
    with json_server(answer) as url:
        worker = start(USERS_URL=url, ANALYTICS_URL=url)
        wait_until(lambda: things(query).get("tick") and len(delivered) == 3)
        assert (tmp_path / "heartbeat").stat().st_mtime > time.time() - 10
        stop(worker)
    assert delivered == [str(fact.id) for fact in facts]
    assert query("SELECT 1 FROM outbox WHERE delivered_at IS NULL") == []


def test_a_relay_alone_does_no_jobs(start, jobs, database, query):
    enqueue(jobs, database, name="not mine")
    with database.transaction() as session:
        record(session, Event(type="thing.made"))
    with json_server(lambda _: (200, {"access_token": "t", "expires_in": 60, "accepted": 1})) as url:
        worker = start("relay", USERS_URL=url, ANALYTICS_URL=url)
        wait_until(lambda: query("SELECT 1 FROM outbox WHERE delivered_at IS NOT NULL"))
        stop(worker)
    assert [row.status for row in query("SELECT status FROM jobs")] == ["queued"]


def test_a_relay_outlives_its_consumer_being_away(start, database, query):
    with database.transaction() as session:
        record(session, Event(type="thing.made"))
    with json_server(lambda _: (503, {})) as url:
        port = int(url.rpartition(":")[2])
        worker = start("relay", USERS_URL=url, ANALYTICS_URL=url)
        time.sleep(3)
    assert worker.poll() is None
    with json_server(lambda _: (200, {"access_token": "t", "expires_in": 60, "accepted": 1}), port):
        wait_until(lambda: query("SELECT 1 FROM outbox WHERE delivered_at IS NOT NULL"))
    stop(worker)


def test_a_worker_waits_for_its_tables(start, database, settings, tmp_path):
    engine = create_engine(settings.database_url.get_secret_value())
    with engine.begin() as connection:
        connection.execute(text("ALTER TABLE jobs RENAME TO jobs_of_tomorrow"))
    try:
        worker = start("scheduler")
        heartbeat = tmp_path / "heartbeat"
        wait_until(heartbeat.exists)
        assert worker.poll() is None
    finally:
        with engine.begin() as connection:
            connection.execute(text("ALTER TABLE jobs_of_tomorrow RENAME TO jobs"))
        engine.dispose()

    def slots():
        with database.transaction() as session:
            return session.scalar(text("SELECT count(*) FROM jobs"))

    wait_until(slots)
    stop(worker)


def test_sigterm_ends_a_worker_that_still_waits(start, tmp_path):
    worker = start(DATABASE_URL="postgresql+psycopg2://nobody@127.0.0.1:9/nothing")
    wait_until((tmp_path / "heartbeat").exists)
    stop(worker)


def test_an_unknown_role_is_refused(start):
    assert start("cook").wait(timeout=20) == 2
