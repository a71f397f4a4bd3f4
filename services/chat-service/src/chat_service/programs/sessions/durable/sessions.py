"""The session store while PostgreSQL may be away: recent sessions, and turns that wait in the spool."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from uuid import UUID

from chat_service.programs.coach.session_state import ProgramSession
from chat_service.programs.content.catalog import Catalog
from chat_service.programs.content.model import Program
from chat_service.programs.sessions.durable.recent_sessions import RecentSessions
from chat_service.programs.sessions.durable.replay import STORE_TIMEOUT_S, SessionReplayer
from chat_service.programs.sessions.durable.spool import Spool
from chat_service.programs.sessions.durable.spooled_turn import SpooledTurn
from chat_service.programs.sessions.errors import SessionNotFound
from chat_service.programs.sessions.sql.sessions import SqlSessionStore
from chat_service.programs.sessions.sql.turns import SqlTurnStore
from chat_service.programs.sessions.store import (
    ListedProgram,
    ListedSession,
    SessionHistory,
    SessionMessage,
    StartRequest,
    StartResult,
)
from chat_service.programs.sessions.turn_messages import QuestionPosition, coach_message, participant_message
from chat_service.turns.errors import TurnsWaiting
from cogniflow_kit.errors import Unavailable
from cogniflow_kit.sql.database import Database, is_away
from cogniflow_kit.sql.deadline import within


class SessionGuard:
    """Guards changes of a session outside its turns against turns that wait."""

    def __init__(self, spool: Spool, memory: RecentSessions) -> None:
        self._spool = spool
        self._memory = memory

    @contextmanager
    def changing(self, session_id: UUID) -> Iterator[None]:
        """No turn runs inside the block; after it the session is no longer remembered.

        Raises: TurnInProgress (a turn runs), TurnsWaiting (turns are in the spool).
        """
        with self._spool.lock_session(session_id):
            if self._spool.has_session(session_id):
                raise TurnsWaiting
            try:
                yield
            finally:
                self._memory.remove(session_id)


class DurableSessionStore(SqlSessionStore):
    """Reads and writes in PostgreSQL within STORE_TIMEOUT_S; in an outage reads from memory and spool."""

    def __init__(
        self,
        database: Database,
        catalog: Catalog,
        spool: Spool,
        memory: RecentSessions,
        replayer: SessionReplayer,
        guard: SessionGuard,
    ) -> None:
        super().__init__(database, catalog)
        self._turns = SqlTurnStore(database, catalog)
        self._replayer = replayer
        self._spool = spool
        self._memory = memory
        self._guard = guard

    def programs(self, user_id: UUID, after: UUID | None, limit: int) -> list[ListedProgram]:
        with within(STORE_TIMEOUT_S):
            return super().programs(user_id, after, limit)

    def program(self, slug: str) -> Program:
        with within(STORE_TIMEOUT_S):
            return super().program(slug)

    def start(self, request: StartRequest, slug: str) -> StartResult:
        with within(STORE_TIMEOUT_S):
            return super().start(request, slug)

    def listed(self, user_id: UUID, after: UUID | None, limit: int) -> list[ListedSession]:
        with within(STORE_TIMEOUT_S):
            return super().listed(user_id, after, limit)

    def set_paused(self, session_id: UUID, user_id: UUID, *, paused: bool) -> None:
        with self._guard.changing(session_id), within(STORE_TIMEOUT_S):
            super().set_paused(session_id, user_id, paused=paused)

    def claim(self, session_id: UUID, participant_id: UUID, user_id: UUID) -> None:
        with self._guard.changing(session_id), within(STORE_TIMEOUT_S):
            super().claim(session_id, participant_id, user_id)

    def read(self, session_id: UUID, user_id: UUID) -> SessionHistory:
        # The spool first: a turn stored in between is in what PostgreSQL returns, and left out below.
        waiting = self._spool.turns(session_id)
        if (
            waiting
            and not self._replayer.postgres_available.is_set()
            and self._memory.get(session_id) is not None
        ):
            return self._remembered(session_id, user_id)
        try:
            with within(STORE_TIMEOUT_S):
                found = super().read(session_id, user_id)
                self._remember(found, is_whole=not waiting)
        except Exception as error:
            if not is_away(error):
                raise
            return self._remembered(session_id, user_id)
        return _with_waiting(found, waiting)

    def locale(self, session_id: UUID, user_id: UUID) -> str | None:
        """The locale of a remembered session."""
        known = self._memory.get(session_id)
        return known.state.locale if known is not None and known.state.user_id == user_id else None

    def _remember(self, found: SessionHistory, *, is_whole: bool) -> None:
        session_state = found.program_session.state
        if self._memory.get(session_state.session_id) is not None:
            self._memory.update_state(session_state)
        elif is_whole:
            self._memory.add(session_state, self._turns.message_ids(session_state.session_id))

    def _remembered(self, session_id: UUID, user_id: UUID) -> SessionHistory:
        known = self._memory.get(session_id)
        if known is None:
            raise Unavailable("The database is away; your session is there again as soon as it is back.")
        if known.state.user_id != user_id:
            raise SessionNotFound
        # The remembered state has the waiting turns already; the messages come from the spool.
        program_session = ProgramSession(known.state, self._catalog.get(known.state.version_id))
        return _with_waiting(
            SessionHistory(program_session, [], None, stored=False), self._spool.turns(session_id)
        )


def _with_waiting(found: SessionHistory, waiting: list[SpooledTurn]) -> SessionHistory:
    """Add the spooled turns that are not stored yet."""
    stored_version = found.program_session.state.version if found.stored else 0
    waiting = [turn for turn in waiting if turn.state.version > stored_version]
    if not waiting:
        return found
    messages, first = found.messages, waiting[0].base_version
    if found.newest_turn is not None:
        first = found.newest_turn.sequence + 1
        if found.newest_turn.client_message_id == waiting[0].message.client_message_id:
            # PostgreSQL has the message already, and not yet the reply.
            first -= 1
            messages = [message for message in messages if message.turn_sequence != first]
    queued = [message for number, turn in enumerate(waiting, first) for message in _messages(turn, number)]
    program_session = ProgramSession(waiting[-1].state, found.program_session.program)
    return replace(found, program_session=program_session, messages=[*messages, *queued])


def _messages(turn: SpooledTurn, sequence: int) -> list[SessionMessage]:
    """The messages of a spooled turn; `sequence` is the one that it will most likely get."""
    answered = QuestionPosition(turn.week, turn.run, turn.question_number)
    messages = [participant_message(turn.message, answered, sequence, queued=True)]
    if turn.coach_reply.response:
        messages.append(
            coach_message(turn.coach_reply.response, answered, sequence, turn.answered_at, queued=True)
        )
    question = turn.reply.question
    if turn.asks_question and question is not None:
        asked = QuestionPosition(question.week, turn.run, question.number)
        messages.append(coach_message(question.text, asked, sequence, turn.answered_at, queued=True))
    return messages
