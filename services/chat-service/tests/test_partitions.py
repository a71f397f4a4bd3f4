"""Messages by month: made in advance, sorted in later, cut off when old, always in reach of an erasure."""

import threading
import time
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime
from typing import Any
from uuid import UUID, uuid4

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from chat_service import bootstrap, tables
from chat_service.personal_data import personal_data
from chat_service.platform.retention.partitions import (
    ArchivedMessagesPersonalData,
    MessagesLocked,
    _first_of_month,
    archives,
    create_next_months,
    detach_before,
    ensure_months,
    retry_while_locked,
)
from cogniflow_dev.testing.databases import schema_drift
from cogniflow_kit.sql.database import Database

SESSION = text("""
INSERT INTO sessions (session_id, user_id, program_id, version_id, current_week_id, name, fsm_state)
SELECT :session, :user, v.program_id, v.version_id, w.week_id, 'Maja', '1'
FROM program_versions v JOIN weeks w USING (version_id) WHERE w.week_number = 1 LIMIT 1
""")
SAY = text("""
INSERT INTO conversation_messages (message_id, session_id, user_id, week_id, turn_sequence, position, sender,
                                   message_text, created_at)
SELECT :message, session_id, user_id, current_week_id, 1, 0, 'user', :words, :at
FROM sessions WHERE session_id = :session
""")
WHERE = text("SELECT message_text, tableoid::regclass::text FROM conversation_messages ORDER BY created_at")
Say = Callable[..., UUID]


@pytest.fixture
def messages(committing: Database) -> Iterator[Database]:
    """The tables that a test makes are dropped again, the old months' partitions as well."""
    made = text(
        "SELECT relname FROM pg_class WHERE relnamespace = CAST('chat' AS regnamespace) AND relkind = 'r'"
        " AND relname ~ '^conversation_messages_y'"
    )
    with committing.transaction() as session:
        before = {*session.scalars(made)}
    yield committing
    with committing.transaction() as session:
        for name in {*session.scalars(made)} - before:
            session.execute(text(f"DROP TABLE {name}"))


@pytest.fixture
def owner(messages: Database) -> tuple[UUID, UUID]:
    ids = {"session": uuid4(), "user": uuid4()}
    with messages.transaction() as session:
        session.execute(SESSION, ids)
    return ids["user"], ids["session"]


@pytest.fixture
def say(messages: Database, owner: tuple[UUID, UUID]) -> Say:
    def do(at: str, words: str = "words") -> UUID:
        values = {"message": uuid4(), "session": owner[1], "words": words, "at": at}
        with messages.transaction() as session:
            session.execute(SAY, values)
        return values["message"]

    return do


@pytest.fixture
def where(messages: Database) -> Callable[[], list[tuple[str, str]]]:
    def look() -> list[tuple[str, str]]:
        with messages.transaction() as session:
            return [
                (words, table.removeprefix("conversation_messages_"))
                for words, table in session.execute(WHERE)
            ]

    return look


def ensure(database: Database, first: str, last: str | None = None) -> list[str]:
    return retry_while_locked(
        database,
        lambda session: ensure_months(session, date.fromisoformat(first), date.fromisoformat(last or first)),
    )


def detach(database: Database, month: str) -> list[str]:
    return retry_while_locked(database, lambda session: detach_before(session, date.fromisoformat(month)))


def test_the_months_ahead_are_there_after_preparing(messages):
    today = datetime.now(UTC).date()
    assert create_next_months(messages, today) == []
    made = create_next_months(messages, date(2031, 11, 30))
    assert made == [f"conversation_messages_y{year}m{month:02}" for year, month in
                    ((2031, 11), (2031, 12), (2032, 1), (2032, 2))]  # fmt: skip
    assert create_next_months(messages, date(2031, 11, 30)) == []


def test_rows_of_the_default_partition_move_along(messages, say, where, settings):
    borders = {
        "before": "2019-02-28T23:59:59.999999Z",
        "first": "2019-03-01T00:00:00Z",
        # Already April where it was said, still March in UTC.
        "last": "2019-04-01T01:59:59.999999+02:00",
        "after": "2019-04-01T00:00:00Z",
    }
    for words, at in borders.items():
        say(at, words)
    assert {table for _, table in where()} == {"default"}
    assert ensure(messages, "2019-03-17") == ["conversation_messages_y2019m03"]
    assert where() == [
        ("before", "default"),
        ("first", "y2019m03"),
        ("last", "y2019m03"),
        ("after", "default"),
    ]
    assert ensure(messages, "2019-01-31", "2019-05-01") == [
        f"conversation_messages_y2019m{month:02}" for month in (1, 2, 4, 5)
    ]
    assert [table for _, table in where()] == ["y2019m02", "y2019m03", "y2019m03", "y2019m04"]
    say("2019-05-31T23:59:59Z", "late")
    assert where()[-1] == ("late", "y2019m05")
    assert schema_drift(settings, tables.metadata) == []


def test_a_new_month_has_every_index_and_constraint(messages, say):
    ensure(messages, "2019-03-01")
    shape = text("""
        SELECT (SELECT count(*) FROM pg_index WHERE indrelid = c.oid) AS indexes,
               (SELECT array_agg(contype::text ORDER BY contype, conname) FROM pg_constraint
                WHERE conrelid = c.oid) AS kinds
        FROM pg_class c WHERE c.oid IN (CAST('chat.conversation_messages_y2019m03' AS regclass),
                                        CAST('chat.conversation_messages_default' AS regclass))
    """)
    with messages.transaction() as session:
        new, default = session.execute(shape)
    assert tuple(new) == tuple(default)
    assert new.indexes == 2
    assert new.kinds.count("f") == 1


def test_many_at_once_make_each_month_once(messages, say, where):
    say("2019-03-05T12:00:00Z")
    made: list[list[str]] = []
    threads = [
        threading.Thread(target=lambda: made.append(ensure(messages, "2019-03-01", "2019-04-01")))
        for _ in range(6)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=30)
    assert sorted(made) == [[]] * 5 + [[f"conversation_messages_y2019m{month:02}" for month in (3, 4)]]
    assert where() == [("words", "y2019m03")]


@pytest.mark.parametrize("change", [ensure, detach])
def test_nobody_waits_behind_a_change_that_has_to_wait(messages, say, where, change, monkeypatch):
    """Somebody reads messages for long: the change gives way, others who read or write don't notice."""
    monkeypatch.setattr("chat_service.platform.retention.partitions._LOCK_ATTEMPTS", 3)
    say("2019-03-05T12:00:00Z")
    with messages.transaction() as reader:
        reader.execute(WHERE).all()
        slowest = 0.0
        failed: list[Exception] = []

        def attempt() -> None:
            try:
                change(messages, "2019-05-01" if change is detach else "2019-03-01")
            except MessagesLocked as error:
                failed.append(error)

        thread = threading.Thread(target=attempt)
        thread.start()
        while thread.is_alive():
            since = time.monotonic()
            where()
            say("2019-03-06T12:00:00Z")
            slowest = max(slowest, time.monotonic() - since)
        assert len(failed) == 1
        assert slowest < 1.5, "longer than one wait for a lock"
    assert change(messages, "2019-05-01" if change is detach else "2019-03-01")


def test_months_are_made_and_cut_off_while_others_write(messages, owner, say, where):
    """Everything that was acknowledged is in one place, once."""
    ensure(messages, "2019-03-01")
    stop, said, failures = threading.Event(), [], []

    def write(day: int) -> None:
        number = 0
        while not stop.is_set():
            words = f"{day}-{number}"
            try:
                say(f"2019-0{3 + number % 4}-{day:02}T12:00:00Z", words)
            except DBAPIError as error:
                failures.append(error)
            said.append(words)
            number += 1

    writers = [threading.Thread(target=write, args=(day,)) for day in (5, 6, 7)]
    for writer in writers:
        writer.start()
    time.sleep(0.3)
    ensure(messages, "2019-04-01", "2019-05-01")
    time.sleep(0.2)
    cut_off = detach(messages, "2019-05-01")
    time.sleep(0.2)
    detach(messages, "2019-06-01")
    stop.set()
    for writer in writers:
        writer.join(timeout=20)
    assert failures == []
    assert cut_off == ["conversation_messages_y2019m03", "conversation_messages_y2019m04"]
    with messages.transaction() as session:
        kept = [words for words, _ in session.execute(WHERE)]
        for table in archives(session):
            kept += session.scalars(text(f"SELECT message_text FROM {table}")).all()
    assert sorted(kept) == sorted(said)
    assert len(said) > 20


def test_an_archive_is_marked_and_takes_late_rows(messages, say, where):
    say("2019-03-05T12:00:00Z", "old")
    assert detach(messages, "2019-04-30") == ["conversation_messages_y2019m03"]
    assert where() == []
    say("2019-03-06T12:00:00Z", "taken over late")
    assert ensure(messages, "2019-03-01") == [], "what is cut off stays so"
    assert where() == [("taken over late", "default")]
    assert detach(messages, "2019-04-01") == []
    assert where() == []
    with messages.transaction() as session:
        (archive,) = archives(session)
        kept = session.scalars(text(f"SELECT message_text FROM {archive} ORDER BY created_at")).all()
        comment = session.scalar(
            text("SELECT obj_description(CAST(:name AS regclass), 'pg_class')"), {"name": archive}
        )
    assert kept == ["old", "taken over late"]
    assert comment.startswith("Cut off from conversation_messages.")


def test_the_month_itself_and_later_ones_stay(messages, say, where):
    for at in ("2019-03-31T23:59:59Z", "2019-04-01T00:00:00Z", "2019-05-01T00:00:00Z"):
        say(at, at)
    ensure(messages, "2019-03-01", "2019-05-01")
    assert detach(messages, "2019-04-30") == ["conversation_messages_y2019m03"]
    assert [table for _, table in where()] == ["y2019m04", "y2019m05"]


def test_archives_are_exported_and_erased_with_their_person(messages, owner, say, mongo):
    expected = {"here": say("2031-03-01T00:00:00Z", "here")}
    for month in (1, 2, 3):
        for number in range(3):
            words = f"{month}-{number}"
            expected[words] = say(f"2019-0{month}-0{number + 1}T00:00:00Z", words)
    stranger = {"session": uuid4(), "user": uuid4()}
    with messages.transaction() as session:
        session.execute(SESSION, stranger)
        session.execute(
            SAY, {**stranger, "message": uuid4(), "words": "another's", "at": "2019-02-02T00:00Z"}
        )
    detach(messages, "2019-04-01")
    data, said = personal_data(messages, mongo), "postgresql.conversation_messages"

    def exported(user_id: UUID) -> dict[str, Any]:
        found = [item.record for item in data.records(user_id) if item.store == said]
        assert len(found) == len({record["message_id"] for record in found})
        return {record["message_text"]: UUID(record["message_id"]) for record in found}

    assert exported(owner[0]) == expected
    assert exported(stranger["user"]).keys() == {"another's"}
    assert data.erase(owner[0]).erased[said] == 10
    assert exported(owner[0]) == {}
    assert exported(stranger["user"]).keys() == {"another's"}


def test_an_export_turns_pages_within_and_between_archives(messages, owner, say):
    for month in (1, 2, 3):
        for number in range(3):
            say(f"2019-0{month}-0{number + 1}T00:00:00Z", f"{month}-{number}")
    detach(messages, "2019-04-01")
    holding = ArchivedMessagesPersonalData(messages)
    for limit in (1, 2, 3, 4, 20):
        found, after = [], None
        while rows := holding.read(owner[0], after, limit):
            assert len(rows) <= limit
            found += [record["message_text"] for _, record in rows]
            after = rows[-1][0]
        assert sorted(found) == sorted({f"{month}-{number}" for month in (1, 2, 3) for number in range(3)})


def test_archives_lose_what_belongs_to_a_session_that_is_deleted(messages, owner, say):
    say("2019-03-05T12:00:00Z")
    detach(messages, "2019-04-01")
    with messages.transaction() as session:
        session.execute(text("DELETE FROM sessions WHERE session_id = :id"), {"id": owner[1]})
        (archive,) = archives(session)
        assert session.scalar(text(f"SELECT count(*) FROM {archive}")) == 0


def test_archives_follow_a_session_to_the_account_that_claims_it(messages, owner, say, mongo):
    say("2019-03-05T12:00:00Z", "said before the claim")
    detach(messages, "2019-04-01")
    account = uuid4()
    with messages.transaction() as session:
        session.execute(text("UPDATE sessions SET user_id = :user"), {"user": account})
    found = [item.record.get("message_text") for item in personal_data(messages, mongo).records(account)]
    assert "said before the claim" in found


def test_a_start_leaves_the_months_to_the_worker_when_it_would_have_to_wait(messages, monkeypatch, caplog):
    monkeypatch.setattr("chat_service.platform.retention.partitions._LOCK_ATTEMPTS", 1)
    monkeypatch.setattr("chat_service.bootstrap.utc_now", lambda: datetime(2031, 1, 1, tzinfo=UTC))
    with messages.transaction() as reader:
        reader.execute(WHERE).all()
        bootstrap._create_months(messages)
    assert "left to the worker" in caplog.text
    bootstrap._create_months(messages)
    assert create_next_months(messages, date(2031, 1, 1)) == []


def test_months_are_counted_back_over_years():
    assert _first_of_month(date(2026, 1, 31), -1) == date(2025, 12, 1)
    assert _first_of_month(date(2026, 12, 31), -24) == date(2024, 12, 1)
    assert _first_of_month(date(2026, 3, 31), -0) == date(2026, 3, 1)
