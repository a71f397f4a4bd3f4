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

    def place(self):
        return self.turns.look(self.message("look")).place

    def begin(self, name: str, place=None, sequence: int = 1):
        place = place or self.place()
        message = self.message(name)
        return self.turns.begin(message, place, sequence, CoachEngine().read(message, place))

    def answer(self, name: str, place):
        message = self.message(name)
        return CoachEngine().answer(message, place, CoachEngine().read(message, place), lambda: None)

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
        desk.turns.look(replace(desk.message("a"), user_id=uuid4()))
    with pytest.raises(SessionNotFound):
        desk.turns.look(replace(desk.message("a"), conversation_id=uuid4()))
    with pytest.raises(SessionNotFound):
        desk.sessions.read(desk.id, uuid4())
    with pytest.raises(SessionNotFound):
        desk.sessions.set_paused(desk.id, uuid4(), paused=True)


def test_one_turn_runs_in_a_session(desk):
    place = desk.place()
    assert desk.begin("a", place).status is Status.RUNNING
    for name, sequence in (("b", 1), ("b", 2), ("a", 2)):
        assert desk.begin(name, place, sequence) is None, "the same number, another running, the same message"
    assert desk.said() == [(0, "nova"), (1, "user")]


def test_a_message_is_stored_for_its_owner_only(desk):
    place = desk.place()
    desk.execute("UPDATE sessions SET user_id = :other WHERE session_id = :id", other=uuid4())
    assert desk.begin("a", place) is None
    assert desk.said() == [(0, "nova")]


def test_a_turn_is_completed_once(desk):
    place = desk.place()
    turn = desk.begin("a", place)
    result = desk.answer("a", place)
    assert desk.turns.complete(turn, place, result).status is Status.COMPLETED
    before = desk.rows()
    assert desk.turns.complete(turn, place, result) is None
    assert desk.rows() == before


def test_an_earlier_claim_completes_nothing(desk):
    place = desk.place()
    late = desk.begin("a", place)
    assert desk.turns.fail(late)
    owner = desk.turns.take_over(late)
    assert owner.epoch == 2
    result = desk.answer("a", place)
    assert desk.turns.complete(late, place, result) is None
    assert not desk.turns.renew(late)
    assert not desk.turns.fail(late)
    assert desk.rows()["answers"] == []
    assert desk.turns.complete(owner, place, result) is not None


def test_a_live_claim_is_nobody_elses(desk):
    turn = desk.begin("a")
    assert desk.turns.take_over(turn) is None
    assert desk.begin("b", sequence=2) is None, "the conversation goes on without it no sooner than it ended"
    assert desk.turns.expired(10) == []
    assert desk.turns.renew(turn)
    desk.execute("UPDATE turns SET lease_expires_at = now() - interval '1 s'")
    assert [one.id for one in desk.turns.expired(10)] == [turn.id]
    assert desk.turns.take_over(turn).epoch == 2


def test_a_failed_turn_completes_nothing(desk):
    place = desk.place()
    turn = desk.begin("a", place)
    assert desk.turns.fail(turn)
    assert desk.turns.complete(turn, place, desk.answer("a", place)) is None
    assert desk.rows()["answers"] == []


@pytest.mark.parametrize("change", ["version = version + 1", "completed = true"])
def test_an_answer_to_an_earlier_state_changes_nothing(desk, change):
    place = desk.place()
    turn = desk.begin("a", place)
    desk.execute(f"UPDATE sessions SET {change} WHERE session_id = :id")
    before = desk.rows()
    assert desk.turns.complete(turn, place, desk.answer("a", place)) is None
    assert desk.rows() == before


def test_a_turn_is_completed_in_its_own_session_only(desk):
    place, other = desk.place(), Desk.__new__(Desk)
    turn = desk.begin("a", place)
    other.__dict__ |= desk.__dict__
    other.user_id = uuid4()
    other.id = desk.sessions.start(StartRequest(other.user_id, "Eve"), "practice").session_id
    assert desk.turns.complete(turn, other.place(), other.answer("a", other.place())) is None
    assert desk.rows()["answers"] == other.rows()["answers"] == []


def test_a_completion_that_breaks_stores_nothing(desk):
    """The last table refuses; so does the first, then."""
    place = desk.place()
    turn = desk.begin("a", place)
    question_id = place.standing.question.question_id
    desk.execute(
        "INSERT INTO question_completions"
        " (completion_id, session_id, user_id, question_id, run, iteration_count)"
        " VALUES (gen_random_uuid(), :id, :user_id, :question_id, 1, 1)",
        user_id=desk.user_id,
        question_id=question_id,
    )
    before = desk.rows()
    with pytest.raises(IntegrityError):
        desk.turns.complete(turn, place, desk.answer("a", place))
    assert desk.rows() == before
    assert desk.turns.look(desk.message("a")).same.status is Status.RUNNING


def test_a_question_is_completed_once_in_each_run(desk):
    place = desk.place()
    desk.turns.complete(desk.begin("a", place), place, desk.answer("a", place))
    again = (
        "INSERT INTO question_completions"
        " (completion_id, session_id, user_id, question_id, run, iteration_count)"
        " SELECT gen_random_uuid(), session_id, user_id, question_id, :run, 1 FROM question_completions"
    )
    with pytest.raises(IntegrityError):
        desk.execute(again, run=1)
    desk.execute(again, run=2)


def test_a_message_to_a_session_that_is_being_erased_waits_and_is_not_stored(shared):
    place = shared.place()
    erased = "DELETE FROM sessions WHERE session_id = :id"
    with while_it_waits(shared, erased, lambda: shared.begin("a", place)) as begun:
        assert begun.result() is None
    with pytest.raises(SessionNotFound):
        shared.place()


def test_a_message_beside_a_claim_waits_and_is_not_stored_for_the_former_owner(shared):
    place = shared.place()
    claimed = "UPDATE sessions SET user_id = :other WHERE session_id = :id"
    with while_it_waits(shared, claimed, lambda: shared.begin("a", place)) as begun:
        assert begun.result() is None
    assert shared.said() == [(0, "nova")]


def test_a_pause_beside_an_answer_keeps_both_whole(shared):
    place = shared.place()
    turn = shared.begin("a", place)
    paused = "UPDATE sessions SET paused_at = now() WHERE session_id = :id"
    complete = lambda: shared.turns.complete(turn, place, shared.answer("a", place))  # noqa: E731
    with while_it_waits(shared, paused, complete) as completed:
        assert completed.result() is not None
    after = shared.place().snapshot
    assert (after.version, after.paused_at is not None) == (2, True)
    rows = shared.rows()
    assert [len(rows[name]) for name in ("answers", "responses", "completions", "facts")] == [1, 1, 1, 1]
    assert rows["states"][0][4]["question_completed"] == {"1": True}


def test_of_two_answers_to_one_state_one_is_kept(shared):
    """The version holds even where the lease did not: both were claimed at the same state."""
    place = shared.place()
    turn = shared.begin("a", place)
    moved = "UPDATE sessions SET version = version + 1 WHERE session_id = :id"
    complete = lambda: shared.turns.complete(turn, place, shared.answer("a", place))  # noqa: E731
    with while_it_waits(shared, moved, complete) as completed:
        assert completed.result() is None
    rows = shared.rows()
    assert [len(rows[name]) for name in ("answers", "responses", "completions", "facts")] == [0, 0, 0, 0]


def test_an_owner_of_two_sessions_has_their_turns_apart(desk):
    other = desk.sessions.start(StartRequest(desk.user_id, "Ada"), "open-door").session_id
    run_turn(desk.turns, CoachEngine(), desk.message("a"))
    message = replace(desk.message("a", "Yes"), conversation_id=other, fingerprint="Yes")
    assert run_turn(desk.turns, CoachEngine(), message).sequence == 1
    assert desk.turns.look(replace(message, client_message_id="b")).last.conversation_id == other
