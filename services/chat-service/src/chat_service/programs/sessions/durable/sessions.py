"""Sessions while PostgreSQL is away: what this process remembers of them, and what the spool has."""

from collections.abc import Iterator
from contextlib import contextmanager
from uuid import UUID

from chat_service.programs.coach.session_state import ProgramSession
from chat_service.programs.content.catalog import Catalog
from chat_service.programs.content.model import Program
from chat_service.programs.sessions.durable.fallback_store import PATIENCE_S
from chat_service.programs.sessions.durable.pending_turns import with_waiting
from chat_service.programs.sessions.durable.recent_sessions import RecentSessions
from chat_service.programs.sessions.durable.replay_session import SessionReplayer
from chat_service.programs.sessions.durable.spool import Spool
from chat_service.programs.sessions.errors import SessionNotFound
from chat_service.programs.sessions.schemas import ProgramOut, SessionListed
from chat_service.programs.sessions.sql.sessions import SqlSessionStore
from chat_service.programs.sessions.sql.turns import SqlTurnStore
from chat_service.programs.sessions.store import SessionHistory, StartRequest, StartResult
from chat_service.turns.errors import TurnsWaiting
from cogniflow_kit.errors import Unavailable
from cogniflow_kit.sql.database import Database, is_away
from cogniflow_kit.sql.deadline import within


class SessionGuard:
    """Keeps what changes a session outside its turns from meeting turns that wait."""

    def __init__(self, spool: Spool, memory: RecentSessions) -> None:
        self._spool = spool
        self._memory = memory

    @contextmanager
    def changing(self, session_id: UUID) -> Iterator[None]:
        """Nobody takes a turn inside the block, and what was remembered of the session is void after it.

        Raises TurnInProgress while a turn is taken, and TurnsWaiting while turns wait.
        """
        with self._spool.hold(session_id):
            if self._spool.has(session_id):
                raise TurnsWaiting
            try:
                yield
            finally:
                self._memory.forget(session_id)


class DurableSessionStore(SqlSessionStore):
    """PostgreSQL's sessions, within the time that a request has; for reading, what is remembered of them."""

    def __init__(
        self,
        database: Database,
        catalog: Catalog,
        spool: Spool,
        memory: RecentSessions,
        storing: SessionReplayer,
        keeper: SessionGuard,
    ) -> None:
        super().__init__(database, catalog)
        self._turns = SqlTurnStore(database, catalog)
        self._storing = storing
        self._spool = spool
        self._memory = memory
        self._keeper = keeper

    def programs(self, user_id: UUID, after: UUID | None, limit: int) -> list[ProgramOut]:
        with within(PATIENCE_S):
            return super().programs(user_id, after, limit)

    def program(self, slug: str) -> Program:
        with within(PATIENCE_S):
            return super().program(slug)

    def start(self, beginner: StartRequest, slug: str) -> StartResult:
        with within(PATIENCE_S):
            return super().start(beginner, slug)

    def listed(self, user_id: UUID, after: UUID | None, limit: int) -> list[SessionListed]:
        with within(PATIENCE_S):
            return super().listed(user_id, after, limit)

    def set_paused(self, session_id: UUID, user_id: UUID, *, paused: bool) -> None:
        with self._keeper.changing(session_id), within(PATIENCE_S):
            super().set_paused(session_id, user_id, paused=paused)

    def claim(self, session_id: UUID, participant_id: UUID, user_id: UUID) -> None:
        with self._keeper.changing(session_id), within(PATIENCE_S):
            super().claim(session_id, participant_id, user_id)

    def read(self, session_id: UUID, user_id: UUID) -> SessionHistory:
        # In this order: what is stored in between shows in what is read, and is left out below.
        waiting = self._spool.turns(session_id)
        if waiting and not self._storing.is_there.is_set() and self._memory.get(session_id) is not None:
            return self._recalled(session_id, user_id)
        try:
            with within(PATIENCE_S):
                found = super().read(session_id, user_id)
                self._remember(found, is_whole=not waiting)
        except Exception as error:
            if not is_away(error):
                raise
            return self._recalled(session_id, user_id)
        return with_waiting(found, waiting)

    def locale(self, session_id: UUID, user_id: UUID) -> str | None:
        """The session's locale, if it can be told at once."""
        known = self._memory.get(session_id)
        return known.state.locale if known is not None and known.state.user_id == user_id else None

    def _remember(self, found: SessionHistory, *, is_whole: bool) -> None:
        session_state = found.program_session.state
        if self._memory.get(session_state.session_id) is not None:
            self._memory.see(session_state)
        elif is_whole:
            self._memory.learn(session_state, self._turns.message_ids(session_state.session_id))

    def _recalled(self, session_id: UUID, user_id: UUID) -> SessionHistory:
        known = self._memory.get(session_id)
        if known is None:
            raise Unavailable("The database is away; your session is there again as soon as it is back.")
        if known.state.user_id != user_id:
            raise SessionNotFound
        # What waits in the spool is added, from the state before it.
        program_session = ProgramSession(known.state, self._catalog.get(known.state.version_id))
        return with_waiting(
            SessionHistory(program_session, [], None, stored=False), self._spool.turns(session_id)
        )
