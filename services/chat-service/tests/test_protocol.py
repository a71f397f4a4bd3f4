"""The turn protocol over both stores: whatever happens between two steps, one message is one turn."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from sqlalchemy import text

from chat_service.indexes import AI_CONVERSATIONS
from chat_service.programs.coach.engine import CoachEngine
from chat_service.programs.content.catalog import Catalog
from chat_service.programs.sessions.memory.sessions import MemorySessionStore
from chat_service.programs.sessions.memory.store import MemoryStore
from chat_service.programs.sessions.memory.turns import MemoryTurnStore
from chat_service.programs.sessions.sql.sessions import SqlSessionStore
from chat_service.programs.sessions.sql.turns import SqlTurnStore
from chat_service.programs.sessions.store import StartRequest
from chat_service.turns.errors import MessageIdReused, TurnAbandoned, TurnInProgress
from chat_service.turns.model import Message, Status, TurnStore
from chat_service.turns.protocol import reap, run_turn
from chat_service.tutor.courses_client import Course
from chat_service.tutor.replies import TutorReply
from chat_service.tutor.turn_store import TutorAnalysis, TutorConversation, TutorTurnStore
from cogniflow_kit.ids import utc_now

MESSAGES = (
    "SELECT turn_sequence, sender FROM conversation_messages WHERE turn_sequence > 0 ORDER BY 1, position"
)


class TutorEngine:
    def admit(self, conversation: TutorConversation) -> TutorConversation:
        return TutorConversation(conversation.user_id, conversation.conversation_id, COURSE.id, COURSE)

    def analyze(self, message: Message, conversation: TutorConversation) -> TutorAnalysis:
        return TutorAnalysis(None)

    def answer(
        self, message: Message, conversation: TutorConversation, analysis: TutorAnalysis, renew: Any
    ) -> TutorReply:
        return TutorReply(resources=[], answer=message.text, answered=True, citations=[])


COURSE = Course(uuid4(), 1, "Course")


class Watched:
    """An engine that lets a test act while it makes its answer."""

    def __init__(self, engine: Any, meanwhile: Callable[[], None]) -> None:
        self._engine = engine
        self._meanwhile = meanwhile
        self.answers = 0

    def admit(self, conversation: Any) -> Any:
        return self._engine.admit(conversation)

    def analyze(self, message: Message, conversation: Any) -> Any:
        return self._engine.analyze(message, conversation)

    def answer(self, message: Message, conversation: Any, analysis: Any, renew: Callable[[], None]) -> Any:
        self.answers += 1
        self._meanwhile()
        return self._engine.answer(message, conversation, analysis, renew)


@dataclass
class Talk:
    """A conversation in one of the stores."""

    store: TurnStore[Any, Any, Any, Any]
    engine: Any
    first: Message
    read: Callable[[], list[tuple[int, str, int]]]
    expire: Callable[[], None]

    def message(self, name: str, words: str = "I was at work and I thought about my goal again.") -> Message:
        first = self.first
        return Message(first.user_id, first.conversation_id, name, str(hash(words)), words)

    def take(self, message: Message, meanwhile: Callable[[], None] = lambda: None) -> Any:
        return run_turn(self.store, Watched(self.engine, meanwhile), message)


@pytest.fixture
def program_talk(database) -> Talk:
    catalog, user_id = Catalog(database), uuid4()
    started = SqlSessionStore(database, catalog).start(StartRequest(user_id, "Ada"), "practice")

    def execute(statement: str) -> list[Any]:
        with database.transaction() as session:
            result = session.execute(text(statement))
            return [tuple(row) for row in result] if result.returns_rows else []

    return Talk(
        SqlTurnStore(database, catalog),
        CoachEngine(),
        Message(user_id, started.session_id, "", "", ""),
        read=lambda: execute("SELECT sequence, status, epoch FROM turns ORDER BY sequence"),
        expire=lambda: execute("UPDATE turns SET lease_expires_at = now() - interval '1 s'"),
    )


@pytest.fixture
def tutor_talk(mongo) -> Talk:
    turns = mongo.collection(AI_CONVERSATIONS)
    user_id = uuid4()
    store = TutorTurnStore(mongo)
    opening = run_turn(store, TutorEngine(), Message(user_id, None, "opening", "f", "Hello"))

    def expire() -> None:
        running = {"status": "running"}
        turns.update_many(running, [{"$set": {"lease_expires_at": {"$subtract": ["$$NOW", 1000]}}}])

    def read() -> list[tuple[int, str, int]]:
        found = turns.find({"sequence": {"$gt": 1}}).sort("sequence")
        return [(turn["sequence"] - 1, turn["status"], turn["epoch"]) for turn in found]

    first = Message(user_id, opening.conversation_id, "", "", "")
    return Talk(store, TutorEngine(), first, read, expire)


@pytest.fixture
def memory_talk(settings) -> Talk:
    store = MemoryStore.from_folder(settings.content_dir / "programs")
    user_id = uuid4()
    started = MemorySessionStore(store).start(StartRequest(user_id, "Ada"), "driven")

    def read() -> list[tuple[int, str, int]]:
        with store.session(started.session_id, user_id) as kept:
            return [(one.turn.sequence, one.turn.status, one.turn.epoch) for one in kept.turns]

    def expire() -> None:
        with store.session(started.session_id, user_id) as kept:
            for one in list(kept.turns):
                if one.turn.status is Status.RUNNING:
                    kept.put(replace(one.turn, lease_expires_at=utc_now() - timedelta(seconds=1)))

    first = Message(user_id, started.session_id, "", "", "")
    return Talk(MemoryTurnStore(store), CoachEngine(), first, read, expire)


@pytest.fixture(params=["program_talk", "tutor_talk", "memory_talk"])
def talk(request) -> Talk:
    return request.getfixturevalue(request.param)


def test_the_words_are_stored_before_they_are_answered(talk):
    seen = []
    talk.take(talk.message("a"), lambda: seen.extend(talk.read()))
    assert seen == [(1, "running", 1)]
    assert talk.read() == [(1, "completed", 1)]


def test_a_second_message_is_refused_while_one_runs(talk):
    def other_tab() -> None:
        for name in ("a", "b"):
            with pytest.raises(TurnInProgress) as refused:
                talk.take(talk.message(name))
            assert refused.value.headers["Retry-After"] == "1"

    talk.take(talk.message("a"), other_tab)
    talk.take(talk.message("b"))
    assert talk.read() == [(1, "completed", 1), (2, "completed", 1)]


def test_a_repeated_message_is_not_answered_again(talk):
    first = talk.take(talk.message("a"))
    engine = Watched(talk.engine, lambda: None)
    again = run_turn(talk.store, engine, talk.message("a"))
    assert (again.id, again.reply) == (first.id, first.reply)
    assert engine.answers == 0


def test_a_reused_id_is_refused(talk):
    talk.take(talk.message("a"))
    with pytest.raises(MessageIdReused):
        talk.take(talk.message("a", "Other words that I have never said before."))
    assert talk.read() == [(1, "completed", 1)]


def broken() -> None:
    raise RuntimeError("no answer")


def test_a_failed_turn_is_answered_when_it_is_sent_again(talk):
    with pytest.raises(RuntimeError):
        talk.take(talk.message("a"), broken)
    assert talk.read() == [(1, "failed", 1)]
    with pytest.raises(RuntimeError):
        talk.take(talk.message("a"), broken)
    talk.take(talk.message("a"))
    assert talk.read() == [(1, "completed", 3)]


def test_a_failed_turn_is_closed_when_the_conversation_goes_on(talk):
    with pytest.raises(RuntimeError):
        talk.take(talk.message("a"), broken)
    talk.take(talk.message("b"))
    with pytest.raises(TurnAbandoned):
        talk.take(talk.message("a"))
    assert talk.read() == [(1, "abandoned", 1), (2, "completed", 1)]


def test_the_reaper_fails_what_broke_off_and_answers_nothing(talk):
    claim_view = talk.store.view(talk.message("a"))
    conversation = talk.engine.admit(claim_view.conversation)
    sequence = claim_view.newest.sequence + 1 if claim_view.newest else 1
    analysis = talk.engine.analyze(talk.message("a"), conversation)
    assert talk.store.claim_turn(talk.message("a"), conversation, sequence, analysis)
    assert reap(talk.store) == 0
    talk.expire()
    assert reap(talk.store) == 1
    assert talk.read() == [(1, "failed", 1)]
    assert reap(talk.store) == 0


def test_a_message_after_a_died_process_needs_no_reaper(talk):
    with pytest.raises(KeyboardInterrupt):
        talk.take(talk.message("a"), died)
    talk.expire()
    talk.take(talk.message("b"))
    assert talk.read() == [(1, "abandoned", 1), (2, "completed", 1)]


def died() -> None:
    """Ends the turn without giving the lease back, as a kill would."""
    raise KeyboardInterrupt


def test_who_wakes_up_late_gets_what_the_repetition_made(talk):
    made = []

    def overslept() -> None:
        talk.expire()
        made.append(talk.take(talk.message("a")))

    late = talk.take(talk.message("a"), overslept)
    assert (late.id, late.reply) == (made[0].id, made[0].reply)
    assert talk.read() == [(1, "completed", 2)]


def test_who_wakes_up_late_changes_nothing_after_another_message(talk):
    def overslept() -> None:
        talk.expire()
        talk.take(talk.message("b"))

    with pytest.raises(TurnInProgress):
        talk.take(talk.message("a"), overslept)
    assert talk.read() == [(1, "abandoned", 1), (2, "completed", 1)]


def test_who_wakes_up_late_changes_nothing_after_the_reaper(talk):
    def overslept() -> None:
        talk.expire()
        reap(talk.store)

    with pytest.raises(TurnInProgress):
        talk.take(talk.message("a"), overslept)
    assert talk.read() == [(1, "failed", 1)]


def test_a_turn_seen_at_two_moments_is_looked_at_again(talk):
    first = talk.take(talk.message("a"))
    talk.take(talk.message("b"))
    read, stale = talk.store.view, []

    def view(message: Message) -> Any:
        claim_view = read(message)
        if not stale:
            stale.append(True)
            return replace(claim_view, repeated=replace(claim_view.repeated, status=Status.FAILED))
        return claim_view

    talk.store.view = view
    assert talk.take(talk.message("a")).reply == first.reply


def test_a_state_read_before_another_turn_is_not_used(program_talk, database):
    class Interrupted(Catalog):
        """Another tab's turn completes while this one reads the conversation."""

        done = False

        def get(self, version_id: Any) -> Any:
            if not self.done:
                self.done = True
                program_talk.take(program_talk.message("other tab"))
            return super().get(version_id)

    store = SqlTurnStore(database, Interrupted(database))
    assert run_turn(store, CoachEngine(), program_talk.message("a")).sequence == 2
    assert program_talk.read() == [(1, "completed", 1), (2, "completed", 1)]


def test_a_state_that_moved_meanwhile_is_not_written_over(program_talk, database):
    def moved() -> None:
        with database.transaction() as session:
            session.execute(text("UPDATE sessions SET version = version + 1"))

    with pytest.raises(TurnInProgress):
        program_talk.take(program_talk.message("a"), moved)
    assert program_talk.read() == [(1, "failed", 1)]
    with database.transaction() as session:
        assert session.scalar(text("SELECT count(*) FROM user_answers")) == 0
        assert session.execute(text(MESSAGES)).all() == [(1, "user")]
    program_talk.take(program_talk.message("a"))
    assert program_talk.read() == [(1, "completed", 2)]
