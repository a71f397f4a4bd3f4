"""Turns of programs in PostgreSQL: what is stale, late or another's changes nothing, whoever waits."""

import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from typing import Any
from uuid import uuid4

import pytest
from program_records import stored
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError
from taking import MISHAP

from chat_service.programs.coach.engine import CoachEngine
from chat_service.programs.content.catalog import Catalog
from chat_service.programs.sessions.errors import SessionNotFound
from chat_service.programs.sessions.sql.sessions import SqlSessionStore
from chat_service.programs.sessions.sql.turns import SqlTurnStore
from chat_service.programs.sessions.store import StartRequest
from chat_service.turns.model import Message, Status
from chat_service.turns.protocol import run_turn


class Desk:
    """A session, and the steps of its turns one by one."""

    def __init__(self, database) -> None:
        self.database = database
        catalog = Catalog(database)
        self.turns, self.sessions = SqlTurnStore(database, catalog), SqlSessionStore(database, catalog)
        self.user_id = uuid4()
        self.id = self.sessions.start(StartRequest(self.user_id, "Ada"), "practice").session_id

    def message(self, name: str, words: str = MISHAP) -> Message:
        return Message(self.user_id, self.id, name, words, words)

    def program_session(self):
        return self.turns.view(self.message("look")).conversation

    def claim_turn(self, name: str, program_session=None, sequence: int = 1):
        program_session = program_session or self.program_session()
        message = self.message(name)
        return self.turns.claim_turn(
            message, program_session, sequence, CoachEngine().analyze(message, program_session)
        )

    def answer(self, name: str, program_session):
        message = self.message(name)
        return CoachEngine().answer(
            message, program_session, CoachEngine().analyze(message, program_session), lambda: None
        )

    def rows(self):
        with self.database.transaction() as session:
            return stored(session, self.id)

    def execute(self, statement: str, **values: Any) -> None:
        with self.database.transaction() as session:
            session.execute(text(statement), {"id": self.id, **values})

    def said(self) -> list[tuple[int, str]]:
        return [(row[0], row[2]) for row in self.rows()["messages"]]


@pytest.fixture
def desk(database) -> Desk:
    return Desk(database)


@pytest.fixture
def shared(committing) -> Desk:
    """For several connections."""
    return Desk(committing)


@contextmanager
def while_it_waits(desk: Desk, statement: str, waiting: Callable[[], Any]) -> Iterator[Future[Any]]:
    """Somebody else's uncommitted change; inside the block `waiting` waits for it, after it is committed."""
    blocked = text(
        "SELECT count(*) FROM pg_stat_activity"
        " WHERE wait_event_type = 'Lock' AND datname = current_database()"
    )
    with ThreadPoolExecutor(1) as pool:
        with desk.database.transaction() as session:
            session.execute(text(statement), {"id": desk.id, "other": uuid4()})
            result = pool.submit(waiting)
            until = time.monotonic() + 4
            while not desk.database.run(blocked)[0]:
                assert time.monotonic() < until, "it doesn't wait"
                time.sleep(0.01)
        yield result


def test_another_persons_session_is_not_there(desk):
    with pytest.raises(SessionNotFound):
        desk.turns.view(replace(desk.message("a"), user_id=uuid4()))
    with pytest.raises(SessionNotFound):
        desk.turns.view(replace(desk.message("a"), conversation_id=uuid4()))
    with pytest.raises(SessionNotFound):
        desk.sessions.read(desk.id, uuid4())
    with pytest.raises(SessionNotFound):
        desk.sessions.set_paused(desk.id, uuid4(), paused=True)


def test_one_turn_runs_in_a_session(desk):
    program_session = desk.program_session()
    assert desk.claim_turn("a", program_session).status is Status.RUNNING
    for name, sequence in (("b", 1), ("b", 2), ("a", 2)):
        assert desk.claim_turn(name, program_session, sequence) is None, (
            "the same number, another running, the same message"
        )
    assert desk.said() == [(0, "nova"), (1, "user")]


def test_a_message_is_stored_for_its_owner_only(desk):
    program_session = desk.program_session()
    desk.execute("UPDATE sessions SET user_id = :other WHERE session_id = :id", other=uuid4())
    assert desk.claim_turn("a", program_session) is None
    assert desk.said() == [(0, "nova")]


def test_a_turn_is_completed_once(desk):
    program_session = desk.program_session()
    turn = desk.claim_turn("a", program_session)
    result = desk.answer("a", program_session)
    assert desk.turns.complete(turn, program_session, result).status is Status.COMPLETED
    before = desk.rows()
    assert desk.turns.complete(turn, program_session, result) is None
    assert desk.rows() == before


def test_an_earlier_claim_completes_nothing(desk):
    program_session = desk.program_session()
    late = desk.claim_turn("a", program_session)
    assert desk.turns.fail(late)
    owner = desk.turns.reclaim(late)
    assert owner.epoch == 2
    result = desk.answer("a", program_session)
    assert desk.turns.complete(late, program_session, result) is None
    assert not desk.turns.renew(late)
    assert not desk.turns.fail(late)
    assert desk.rows()["answers"] == []
    assert desk.turns.complete(owner, program_session, result) is not None


def test_a_live_claim_is_nobody_elses(desk):
    turn = desk.claim_turn("a")
    assert desk.turns.reclaim(turn) is None
    assert desk.claim_turn("b", sequence=2) is None, (
        "the conversation goes on without it no sooner than it ended"
    )
    assert desk.turns.expired(10) == []
    assert desk.turns.renew(turn)
    desk.execute("UPDATE turns SET lease_expires_at = now() - interval '1 s'")
    assert [one.id for one in desk.turns.expired(10)] == [turn.id]
    assert desk.turns.reclaim(turn).epoch == 2


def test_a_failed_turn_completes_nothing(desk):
    program_session = desk.program_session()
    turn = desk.claim_turn("a", program_session)
    assert desk.turns.fail(turn)
    assert desk.turns.complete(turn, program_session, desk.answer("a", program_session)) is None
    assert desk.rows()["answers"] == []


@pytest.mark.parametrize("change", ["version = version + 1", "completed = true"])
def test_an_answer_to_an_earlier_state_changes_nothing(desk, change):
    program_session = desk.program_session()
    turn = desk.claim_turn("a", program_session)
    desk.execute(f"UPDATE sessions SET {change} WHERE session_id = :id")
    before = desk.rows()
    assert desk.turns.complete(turn, program_session, desk.answer("a", program_session)) is None
    assert desk.rows() == before


def test_a_turn_is_completed_in_its_own_session_only(desk):
    program_session, other = desk.program_session(), Desk.__new__(Desk)
    turn = desk.claim_turn("a", program_session)
    other.__dict__ |= desk.__dict__
    other.user_id = uuid4()
    other.id = desk.sessions.start(StartRequest(other.user_id, "Eve"), "practice").session_id
    assert (
        desk.turns.complete(turn, other.program_session(), other.answer("a", other.program_session())) is None
    )
    assert desk.rows()["answers"] == other.rows()["answers"] == []


def test_a_completion_that_breaks_stores_nothing(desk):
    """The last table refuses; so does the first, then."""
    program_session = desk.program_session()
    turn = desk.claim_turn("a", program_session)
    question_id = program_session.context.question.question_id
    desk.execute(
        "INSERT INTO question_completions"
        " (completion_id, session_id, user_id, question_id, run, iteration_count)"
        " VALUES (gen_random_uuid(), :id, :user_id, :question_id, 1, 1)",
        user_id=desk.user_id,
        question_id=question_id,
    )
    before = desk.rows()
    with pytest.raises(IntegrityError):
        desk.turns.complete(turn, program_session, desk.answer("a", program_session))
    assert desk.rows() == before
    assert desk.turns.view(desk.message("a")).repeated.status is Status.RUNNING


def test_a_question_is_completed_once_in_each_run(desk):
    program_session = desk.program_session()
    desk.turns.complete(
        desk.claim_turn("a", program_session), program_session, desk.answer("a", program_session)
    )
    again = (
        "INSERT INTO question_completions"
        " (completion_id, session_id, user_id, question_id, run, iteration_count)"
        " SELECT gen_random_uuid(), session_id, user_id, question_id, :run, 1 FROM question_completions"
    )
    with pytest.raises(IntegrityError):
        desk.execute(again, run=1)
    desk.execute(again, run=2)


def test_a_message_to_a_session_that_is_being_erased_waits_and_is_not_stored(shared):
    program_session = shared.program_session()
    erased = "DELETE FROM sessions WHERE session_id = :id"
    with while_it_waits(shared, erased, lambda: shared.claim_turn("a", program_session)) as begun:
        assert begun.result() is None
    with pytest.raises(SessionNotFound):
        shared.program_session()


def test_a_message_beside_a_claim_waits_and_is_not_stored_for_the_former_owner(shared):
    program_session = shared.program_session()
    claimed = "UPDATE sessions SET user_id = :other WHERE session_id = :id"
    with while_it_waits(shared, claimed, lambda: shared.claim_turn("a", program_session)) as begun:
        assert begun.result() is None
    assert shared.said() == [(0, "nova")]


def test_a_pause_beside_an_answer_keeps_both_whole(shared):
    program_session = shared.program_session()
    turn = shared.claim_turn("a", program_session)
    paused = "UPDATE sessions SET paused_at = now() WHERE session_id = :id"
    complete = lambda: shared.turns.complete(turn, program_session, shared.answer("a", program_session))  # noqa: E731
    with while_it_waits(shared, paused, complete) as completed:
        assert completed.result() is not None
    after = shared.program_session().state
    assert (after.version, after.paused_at is not None) == (2, True)
    rows = shared.rows()
    assert [len(rows[name]) for name in ("answers", "responses", "completions", "facts")] == [1, 1, 1, 1]
    assert rows["states"][0][4]["question_completed"] == {"1": True}


def test_of_two_answers_to_one_state_one_is_kept(shared):
    """The version holds even where the lease did not: both were claimed at the same state."""
    program_session = shared.program_session()
    turn = shared.claim_turn("a", program_session)
    moved = "UPDATE sessions SET version = version + 1 WHERE session_id = :id"
    complete = lambda: shared.turns.complete(turn, program_session, shared.answer("a", program_session))  # noqa: E731
    with while_it_waits(shared, moved, complete) as completed:
        assert completed.result() is None
    rows = shared.rows()
    assert [len(rows[name]) for name in ("answers", "responses", "completions", "facts")] == [0, 0, 0, 0]


def test_an_owner_of_two_sessions_has_their_turns_apart(desk):
    other = desk.sessions.start(StartRequest(desk.user_id, "Ada"), "open-door").session_id
    run_turn(desk.turns, CoachEngine(), desk.message("a"))
    message = replace(desk.message("a", "Yes"), conversation_id=other, fingerprint="Yes")
    assert run_turn(desk.turns, CoachEngine(), message).sequence == 1
    assert desk.turns.view(replace(message, client_message_id="b")).newest.conversation_id == other
