"""Clearing up beside people who go on, beside itself, and after it was killed."""

import secrets
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import date
from typing import Any

import httpx
import pytest
from sqlalchemy import text
from taking import Taking

from chat_service import tables
from chat_service import worker as chat_worker
from chat_service.platform.retention import deletion
from chat_service.platform.retention.deletion import RetentionPolicy, delete_sessions, run_deletion
from chat_service.platform.retention.partitions import archives, detach_before, retry_while_locked
from chat_service.worker import DELETE_EXPIRED, MAINTAIN_MONTHS
from cogniflow_kit.sql.database import Database

POLICY = RetentionPolicy(sessions_days=30, detections_days=90, open_reviews_days=365, transcript="keep")
KILLED = """
from chat_service.platform.retention.deletion import RetentionPolicy, run_deletion
from chat_service.settings import Settings
from cogniflow_kit.sql.database import Database

database = Database(Settings().database_url.get_secret_value(), application="tests")
run_deletion(database, RetentionPolicy(30, 90, 365, "keep"), batch=2)
"""
Begin = Callable[[int], list[Taking]]


@pytest.fixture
def begin_intakes(server: httpx.Client) -> Begin:
    """Anonymous sessions, each with its first answer."""

    def make(count: int) -> list[Taking]:
        found = []
        for _ in range(count):
            key = {"X-Session-Key": secrets.token_urlsafe(32)}
            answer = server.post("/api/programs/open-door/start-anonymously", headers=key)
            assert answer.status_code == 201, answer.text
            taking = Taking(server, key, answer.json()["session"])
            taking.reply("Yes")
            found.append(taking)
        return found

    return make


def run(database: Database, statement: str) -> None:
    with database.transaction() as session:
        session.execute(text(statement))


def long_ago(database: Database) -> None:
    aged = "(now() - interval '41 days', now() - interval '40 days')"
    run(database, f"UPDATE sessions SET (created_at, last_activity) = {aged}")
    run(database, "UPDATE turns SET created_at = now() - interval '40 days'")


def left_of(database: Database, session_id: str) -> dict[str, int]:
    """How many rows each table has of a session."""
    with database.transaction() as session:
        counts = {
            table.name: session.scalar(
                text(f"SELECT count(*) FROM {table.fullname} WHERE session_id = '{session_id}'")
            )
            for table in tables.metadata.tables.values()
            if "session_id" in table.columns
        }
    return {name: count for name, count in counts.items() if count}


def test_a_turn_that_begins_during_the_deletion_finds_nothing(committing, begin_intakes):
    """It waits for the session's row, on which the deletion has its hand, and then there is none."""
    (intake,) = begin_intakes(1)
    long_ago(committing)
    with ThreadPoolExecutor() as pool:
        with committing.transaction() as session:
            assert delete_sessions(session, POLICY, 20) == (1, 1)
            said = pool.submit(intake.say, "My brother.")
            wait_for_a_lock(committing)
            assert not said.done()
        refused = said.result(timeout=20)
    assert (refused.status_code, refused.json()["code"]) == (404, "session_not_found")
    assert left_of(committing, intake.id) == {}


def test_a_deletion_that_breaks_off_leaves_the_turn_its_session(committing, begin_intakes):
    (intake,) = begin_intakes(1)
    long_ago(committing)
    with ThreadPoolExecutor() as pool:
        with committing.transaction() as session:
            assert delete_sessions(session, POLICY, 20) == (1, 1)
            said = pool.submit(intake.say, "My brother.")
            wait_for_a_lock(committing)
            session.rollback()
        assert said.result(timeout=20).status_code == 200
    assert left_of(committing, intake.id)["turns"] == 2
    assert run_deletion(committing, POLICY) == {}


@pytest.mark.parametrize("lock", ["FOR KEY SHARE", "FOR UPDATE"])
def test_a_session_that_somebody_has_in_hand_is_left_out(committing, begin_intakes, lock):
    """The turn's begin, not yet committed, and whatever else changes the session."""
    begin_intakes(2)
    long_ago(committing)
    with committing.transaction() as session:
        session.execute(text(f"SELECT FROM sessions ORDER BY session_id LIMIT 1 {lock}"))
        since = time.monotonic()
        assert run_deletion(committing, POLICY) == {"sessions": 1}
        assert time.monotonic() - since < 4, "waits for nobody"
    assert run_deletion(committing, POLICY) == {"sessions": 1}


def test_what_was_begun_between_look_and_lock_is_seen(committing, begin_intakes, monkeypatch):
    """The first look is of a moment ago: here, of before the session went on."""
    intakes = begin_intakes(3)
    long_ago(committing)
    monkeypatch.setattr(deletion, "LOCK_SESSIONS", text("SELECT session_id FROM sessions FOR UPDATE"))
    intakes[1].reply("My brother.")
    run(committing, "UPDATE turns SET status = 'running', lease_expires_at = now() + interval '30 s'"
        f" WHERE session_id = '{intakes[2].id}'")  # fmt: skip
    with committing.transaction() as session:
        assert delete_sessions(session, POLICY, 20) == (3, 1)
    assert left_of(committing, intakes[0].id) == {}
    assert left_of(committing, intakes[1].id)["turns"] == 2
    assert left_of(committing, intakes[2].id)["turns"] == 1


def test_everybody_who_comes_back_gets_all_or_nothing(committing, begin_intakes):
    """Two runs at once, three sessions a batch, while the owners of all sessions return."""
    intakes = begin_intakes(24)
    long_ago(committing)
    stop = threading.Event()
    deleted: list[int] = []

    def clear_again_and_again() -> None:
        while not stop.is_set():
            deleted.append(run_deletion(committing, POLICY, batch=3).get("sessions", 0))

    with ThreadPoolExecutor() as pool:
        runs = [pool.submit(clear_again_and_again) for _ in range(2)]
        said = list(pool.map(lambda intake: intake.say("My brother."), reversed(intakes)))
        stop.set()
        for done in runs:
            done.result(timeout=30)
    outcomes = {intake.id: answer for intake, answer in zip(reversed(intakes), said, strict=True)}
    assert {answer.status_code for answer in said} <= {200, 404}
    for session_id, answer in outcomes.items():
        left = left_of(committing, session_id)
        if answer.status_code == 404:
            assert left == {}
        else:
            assert (left["turns"], left["user_answers"], left["conversation_messages"]) == (2, 2, 7)
    assert sum(deleted) == sum(answer.status_code == 404 for answer in said)
    assert sum(deleted) > 0


@pytest.mark.parametrize(("fault", "gone"), [("clearing", 0), ("cleared", 2)])
def test_what_a_killed_run_left_the_next_one_finishes(
    committing, begin_intakes, process_environment, fault, gone
):
    """Killed before the first batch's commit, and after it."""
    intakes = begin_intakes(5)
    long_ago(committing)
    killed = subprocess.run(
        [sys.executable, "-c", KILLED], env=process_environment(CHAT_FAULT=fault), check=False, timeout=60
    )
    assert killed.returncode == -signal.SIGKILL, f"the fault {fault} never fired"
    whole = [left_of(committing, intake.id) for intake in intakes]
    assert whole.count({}) == gone
    assert all(left["turns"] == 1 and left["sessions"] == 1 for left in whole if left)
    assert records(committing) == [({"sessions": 2} if gone else {}, False)]
    assert run_deletion(committing, POLICY) == {"sessions": 5 - gone}
    assert [left_of(committing, intake.id) for intake in intakes] == [{}] * 5
    assert records(committing)[1] == ({"sessions": 5 - gone}, True)


def test_archives_are_cleared_up_as_well(committing, begin_intakes, drop_made_tables):
    """A session whose month was cut off, and a transcript with one half there."""
    intake, completed = begin_intakes(2)
    long_ago(committing)
    run(committing, "UPDATE conversation_messages SET created_at = '2019-03-05' WHERE turn_sequence = 0")
    cut_off(committing)
    run(committing, "UPDATE sessions SET completed = true, anonymous = false,"
        f" completion_time = now() - interval '2 hours' WHERE session_id = '{completed.id}'")  # fmt: skip
    with committing.transaction() as session:
        (archive,) = archives(session)
        assert session.scalar(text(f"SELECT count(*) FROM {archive}")) == 2
    run_deletion(committing, RetentionPolicy(30, 90, 365, "remove"))
    with committing.transaction() as session:
        assert session.scalar(text(f"SELECT count(*) FROM {archive}")) == 0
    assert left_of(committing, intake.id) == {}
    assert left_of(committing, completed.id)["sessions"] == 1


def test_the_worker_does_it(committing, settings, mongo, begin_intakes, drop_made_tables):
    begin_intakes(1)
    long_ago(committing)
    run(committing, "UPDATE conversation_messages SET created_at = '2019-03-05'")
    run(committing, "INSERT INTO system_settings (setting_id, setting_key, setting_value, setting_type,"
        " description) VALUES (gen_random_uuid(), 'messages.keep_months', '24', 'integer', '')")  # fmt: skip
    worker = chat_worker.build_worker(settings)
    assert {DELETE_EXPIRED, MAINTAIN_MONTHS} <= {schedule.name for schedule in worker.schedules}
    for name, expected in ((MAINTAIN_MONTHS, 0), (DELETE_EXPIRED, 0)):
        with committing.transaction() as session:
            job_id = worker.jobs.enqueue(session, name)
        worker.jobs.perform(str(job_id))
        with committing.transaction() as session:
            done = session.scalar(text("SELECT status FROM jobs WHERE id = :id"), {"id": job_id})
            messages = session.scalar(text("SELECT count(*) FROM conversation_messages"))
        assert (done, messages) == ("done", expected)
    assert records(committing) == [({"sessions": 1}, True)]


@pytest.fixture
def drop_made_tables(committing: Database) -> Any:
    yield
    with committing.transaction() as session:
        for table in archives(session):
            session.execute(text(f"DROP TABLE {table}"))


def cut_off(database: Database) -> None:
    retry_while_locked(database, lambda session: detach_before(session, date(2019, 4, 1)))


def records(database: Database) -> list[tuple[dict[str, int], bool]]:
    """The counts of each run, and whether it finished."""
    with database.transaction() as session:
        rows = session.execute(text("SELECT counts, finished_at FROM retention_runs ORDER BY run_id"))
        return [(row.counts, row.finished_at is not None) for row in rows]


def wait_for_a_lock(database: Database) -> None:
    """Until somebody waits for a row."""
    waiting = text("SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock'"
                   " AND datname = current_database()")  # fmt: skip
    until = time.monotonic() + 10
    while time.monotonic() < until:
        with database.transaction() as session:
            if session.scalar(waiting):
                return
        time.sleep(0.02)
    raise AssertionError("nobody waits")
