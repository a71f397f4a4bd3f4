"""Tabs that take turns in one session, stopped, continued and killed between any two of their steps."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, ClassVar
from uuid import UUID, uuid4

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, precondition, rule
from program_records import Expected, stored
from program_tabs import Broken, Killed, Said, Tab, break_down
from sqlalchemy import text
from taking import WAY

from chat_service.programs.coach.engine import CoachEngine, RestartEngine
from chat_service.programs.coach.errors import SessionCompleted, SessionPaused, WeekLocked, WeekNotBegun
from chat_service.programs.coach.session_state import ProgramSession
from chat_service.programs.content.catalog import Catalog
from chat_service.programs.sessions.sql.sessions import SqlSessionStore
from chat_service.programs.sessions.sql.turns import SqlTurnStore
from chat_service.programs.sessions.store import StartRequest
from chat_service.programs.sessions.stored_forms import read_reply
from chat_service.turns.errors import MessageIdReused, TurnAbandoned, TurnInProgress
from chat_service.turns.model import Message, Status, Turn
from chat_service.turns.protocol import reap
from cogniflow_kit.errors import ServiceError
from cogniflow_kit.sql.database import Database

REFUSALS = (SessionCompleted, SessionPaused, WeekLocked, WeekNotBegun, TurnAbandoned, TurnInProgress)
WORDS = [
    *WAY,
    *WAY,
    "Health",
    "No",
    "skip",
    "What do you mean?",
    "A meeting.",
    "I don't want to live anymore.",
]
OTHER_WORDS = "Other words than before."
TABS = 3
LAST_WEEK = 4
CLAIMED = 2
WHOLE = 99
A_TAB = st.integers(0, TABS - 1)
SOME_STEPS = st.sampled_from([1, 2, 2, 3, 3, 4, WHOLE, WHOLE, WHOLE])
"""To the claim, to the answer, to its completion, past that, or to the end."""


@dataclass
class RecentSessions:
    """What the machine knows without looking: every message, and what its sender was told."""

    said: list[Said] = field(default_factory=list)
    acknowledged: dict[str, Turn] = field(default_factory=dict)
    followed: list[tuple[str, str]] = field(default_factory=list)
    """Pairs of messages, the second first sent after the first was acknowledged."""
    moved: int = 0
    """How often somebody else raised the session's version."""


class ProgramMachine(RuleBasedStateMachine):
    """One session of `practice` over the real PostgreSQL. `database` is set by the test."""

    database: ClassVar[Database]
    catalog: ClassVar[Catalog]
    counts: ClassVar[dict[str, int]]

    def __init__(self) -> None:
        super().__init__()
        self.store = SqlTurnStore(self.database, self.catalog)
        self.sessions = SqlSessionStore(self.database, self.catalog)
        self.user_id = uuid4()
        self.session_id: UUID = self.sessions.start(StartRequest(self.user_id, "Ada"), "practice").session_id
        self.opening = self.sessions.read(self.session_id, self.user_id).program_session
        self.tabs: list[Tab | None] = [None] * TABS
        self.memory = RecentSessions()
        self.counts["runs"] += 1

    # -- what may happen -------------------------------------------------------------------------------

    @rule(tab=A_TAB, words=st.sampled_from(WORDS), steps=SOME_STEPS)
    def say(self, tab: int, words: str, steps: int) -> None:
        self._send(tab, self._new(words, CoachEngine()), steps)

    @rule(count=st.integers(1, 6), to_the_end=st.integers(0, 4), freed=st.booleans())
    def go_on(self, count: int, to_the_end: int, freed: bool) -> None:
        """Answer what is open as it should be answered; the last question not every time."""
        if freed:
            self.pause(paused=False)
            self.leases_run_out()
        for _ in range(count):
            program_session = self._place()
            if program_session.state.completed or (
                program_session.week.week_number == LAST_WEEK and to_the_end > 0
            ):
                return
            answers = {1: WAY[:5], 2: WAY[5:7], 4: WAY[7:]}[program_session.week.week_number]
            number = program_session.context.question.question_number
            followup = program_session.context.state.awaits_followup(number)
            words = answers[-1] if followup else answers[number - 1]
            self._send(0, self._new(words, CoachEngine()), WHOLE)

    @rule(tab=A_TAB, which=st.integers(0, 1000), steps=SOME_STEPS)
    @precondition(lambda self: self.memory.said)
    def repeat(self, tab: int, which: int, steps: int) -> None:
        """Any earlier message, answered or not, of this tab or another; the last ones most often."""
        back = which % len(self.memory.said) if which > 500 else which % min(3, len(self.memory.said))
        self._send(tab, self.memory.said[-1 - back], steps)

    @rule(tab=A_TAB, which=st.integers(0, 1000))
    @precondition(lambda self: self.memory.acknowledged)
    def reuse_an_id(self, tab: int, which: int) -> None:
        names = list(self.memory.acknowledged)
        other = self._message(names[which % len(names)], OTHER_WORDS)
        self._send(tab, Said(other, CoachEngine()), WHOLE)

    @rule(tab=A_TAB, week=st.sampled_from([1, 1, 2, 3, 4]), steps=SOME_STEPS)
    def restart(self, tab: int, week: int, steps: int) -> None:
        self._send(tab, self._new(f"Restart week {week}", RestartEngine(week_number=week)), steps)

    @rule(tab=A_TAB, steps=st.integers(1, 3))
    def step(self, tab: int, steps: int) -> None:
        for _ in range(steps):
            self._act(tab, Tab.step)

    @rule()
    def finish(self) -> None:
        for tab in range(TABS):
            self._act(tab, Tab.finish)

    @rule(tab=A_TAB)
    def kill(self, tab: int) -> None:
        self._act(tab, Tab.kill)

    @rule(tab=A_TAB)
    def fail(self, tab: int) -> None:
        """Something breaks in the process, which handles it as it does."""
        self._act(tab, lambda one: one.step(break_down))

    @rule(tab=A_TAB, words=st.sampled_from(WORDS), killed=st.booleans(), reaped=st.booleans())
    def break_off(self, tab: int, words: str, killed: bool, reaped: bool) -> None:
        """A message is claimed and not answered; the process itself fails its turn, or the reaper does."""
        self.pause(paused=False)
        self.leases_run_out()
        self._send(tab, self._new(words, CoachEngine()), CLAIMED)
        self._act(tab, Tab.kill if killed else lambda one: one.step(break_down))
        self._act(tab, Tab.finish)
        if reaped:
            self.leases_run_out()
            self.reap()

    @rule()
    def leases_run_out(self) -> None:
        self._execute("UPDATE turns SET lease_expires_at = now() - interval '1 s'"
                      " WHERE session_id = :id AND status = 'running'")  # fmt: skip

    @rule()
    def reap(self) -> None:
        reap(self.store)

    @rule(paused=st.sampled_from([True, False, False, False]))
    def pause(self, paused: bool) -> None:
        self.sessions.set_paused(self.session_id, self.user_id, paused=paused)

    @rule()
    def somebody_else_moves_the_session(self) -> None:
        self._execute("UPDATE sessions SET version = version + 1 WHERE session_id = :id")
        self.memory.moved += 1

    # -- what must hold --------------------------------------------------------------------------------

    def teardown(self) -> None:
        try:
            for tab in range(TABS):
                self._act(tab, Tab.kill)
            self.check()
            self.leases_run_out()
            self.reap()
            self.check()
            self.goes_on()
            self.check()
            self.counts["turns"] += len(self.memory.acknowledged)
        finally:
            self._execute("DELETE FROM sessions WHERE session_id = :id")
            self._execute("DELETE FROM outbox WHERE event->'data'->>'session_id' = CAST(:id AS text)")

    def goes_on(self) -> None:
        """Whatever happened, the next message is answered."""
        self.pause(paused=False)
        if not self._place().state.completed:
            self._send(0, self._new("What do you mean?", CoachEngine()), WHOLE)
            assert self.memory.said[-1].message.client_message_id in self.memory.acknowledged

    def check(self) -> None:
        by_name = {said.message.client_message_id: said for said in self.memory.said}
        with self.database.transaction() as session:
            turns = session.execute(
                text("SELECT * FROM turns WHERE session_id = :id ORDER BY sequence"), {"id": self.session_id}
            ).all()
            found = stored(session, self.session_id)
            version = session.scalar(
                text("SELECT version FROM sessions WHERE session_id = :id"), {"id": self.session_id}
            )
        assert [turn.sequence for turn in turns] == list(range(1, len(turns) + 1)), "no gap"
        assert all(turn.status not in ("running", "failed") for turn in turns[:-1]), "none is passed over"
        expected = Expected(self.opening)
        for turn in turns:
            said = by_name[turn.client_message_id]
            expected.claimed(turn.sequence, said.message, said.engine)
            if turn.status == Status.COMPLETED:
                expected.completed(turn.sequence, turn.turn_id, said.message, said.engine)
        completed = sum(turn.status == Status.COMPLETED for turn in turns)
        assert version == 1 + completed + self.memory.moved
        wanted = expected.rows()
        for name, rows in wanted.items():
            if name != "summaries" or not self.memory.moved:
                assert found[name] == rows, name
        self._check_acknowledged({turn.client_message_id: turn for turn in turns})

    def _check_acknowledged(self, turns: dict[str, Any]) -> None:
        for name, told in self.memory.acknowledged.items():
            turn = turns[name]
            assert turn.status == Status.COMPLETED, "what was acknowledged is there"
            assert (turn.turn_id, turn.sequence) == (told.id, told.sequence)
            assert read_reply(turn.result) == told.reply
        for before, after in self.memory.followed:
            if after in turns:
                assert turns[before].sequence < turns[after].sequence, "nobody's order is changed"

    # -- how it is done --------------------------------------------------------------------------------

    def _message(self, name: str, words: str) -> Message:
        return Message(self.user_id, self.session_id, name, words, words)

    def _new(self, words: str, engine: CoachEngine) -> Said:
        said = Said(self._message(f"message {len(self.memory.said)}", words), engine)
        name = said.message.client_message_id
        self.memory.followed += [(before, name) for before in self.memory.acknowledged]
        self.memory.said.append(said)
        return said

    def _place(self) -> ProgramSession:
        return self.store.view(self._message("look", "")).conversation

    def _send(self, tab: int, said: Said, steps: int) -> None:
        """From this tab, or another that is idle; where none is, it was reloaded: what it was at dies."""
        idle = (number % TABS for number in range(tab, tab + TABS) if self.tabs[number % TABS] is None)
        tab = next(idle, tab)
        self._act(tab, Tab.kill)
        self.tabs[tab] = Tab(self.store, said)
        for _ in range(steps):
            if self.tabs[tab] is not None:
                self._act(tab, Tab.step)

    def _act(self, tab: int, action: Callable[[Tab], None]) -> None:
        one = self.tabs[tab]
        if one is None:
            return
        self.counts["steps"] += 1
        action(one)
        if one.is_done:
            self.tabs[tab] = None
            self._judge(one)

    def _judge(self, tab: Tab) -> None:
        outcome, name = tab.outcome, tab.said.message.client_message_id
        self.counts[type(outcome).__name__] = self.counts.get(type(outcome).__name__, 0) + 1
        if isinstance(outcome, Turn):
            assert outcome.status is Status.COMPLETED
            known = self.memory.acknowledged.setdefault(name, outcome)
            assert (outcome.id, outcome.sequence, outcome.reply) == (known.id, known.sequence, known.reply)
        elif isinstance(outcome, MessageIdReused):
            assert tab.said.message.text == OTHER_WORDS
        elif isinstance(outcome, ServiceError):
            assert isinstance(outcome, REFUSALS), outcome
            assert name not in self.memory.acknowledged
        else:
            assert isinstance(outcome, Killed | Broken), outcome

    def _execute(self, statement: str) -> None:
        with self.database.transaction() as session:
            session.execute(text(statement), {"id": self.session_id})
