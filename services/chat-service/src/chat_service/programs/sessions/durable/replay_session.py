"""Stores a session's spooled turns: in order, once, as they were answered."""

import time
from threading import Event
from uuid import UUID

import structlog
from sqlalchemy import text
from sqlalchemy.exc import DataError, DBAPIError, IntegrityError

from chat_service.fault_points import reach
from chat_service.programs.content.catalog import Catalog
from chat_service.programs.sessions.durable.fallback_store import PATIENCE_S
from chat_service.programs.sessions.durable.recent_sessions import RecentSessions
from chat_service.programs.sessions.durable.replay_store import Diverged, ReplayEngine, ReplayTurnStore
from chat_service.programs.sessions.durable.spool import Spool
from chat_service.programs.sessions.durable.spooled_turn import SpooledTurn
from chat_service.programs.sessions.errors import SessionNotFound
from chat_service.turns.errors import MessageIdReused, TurnAbandoned, TurnInProgress
from chat_service.turns.protocol import run_turn
from cogniflow_kit.sql.database import Database, is_away
from cogniflow_kit.sql.deadline import within

log = structlog.stdlib.get_logger(__name__)

_SESSION = text("SELECT session_id FROM sessions WHERE session_id = :session_id")


class SessionReplayer:
    """`is_there` is set while PostgreSQL takes spooled turns, as the replay found out."""

    def __init__(self, database: Database, catalog: Catalog, spool: Spool, memory: RecentSessions) -> None:
        self._database = database
        self._catalog = catalog
        self._spool = spool
        self._memory = memory
        self.is_there = Event()

    def store(self, session_id: UUID, within_s: float) -> bool:
        """Store what waits of the session, which the caller holds; whether nothing does any more.

        Stops after the time, and when PostgreSQL goes away. What doesn't fit is set aside.
        """
        until = time.monotonic() + within_s
        try:
            return self._store_or_drop(session_id, until)
        except TurnInProgress:
            return False  # another's claim has to run out first
        except Exception as error:  # noqa: BLE001 -- each has its place below
            if is_away(error):
                self.is_there.clear()
                return False
            return self._puzzle(session_id, error)

    def _store_or_drop(self, session_id: UUID, until: float) -> bool:
        """Turns go with a session that was deleted; what is merely somebody else's now is not dropped."""
        try:
            return self._store(session_id, until)
        except SessionNotFound:
            with within(PATIENCE_S):
                if self._database.run(_SESSION, {"session_id": session_id}) is not None:
                    raise
        self._memory.forget(session_id)
        self._spool.remove(session_id)
        log.warning("spooled turns of a session that is gone", session_id=str(session_id))
        return True

    def _store(self, session_id: UUID, until: float) -> bool:
        for turn, size in self._spool.unstored(session_id):
            if time.monotonic() > until:
                return False
            self._take(turn)
            self._spool.advance(session_id, size)
            reach("replaying")
        reach("replayed")
        self._spool.remove(session_id)
        log.info("spooled turns stored", session_id=str(session_id))
        return True

    def _take(self, turn: SpooledTurn) -> None:
        with within(PATIENCE_S):
            store = ReplayTurnStore(self._database, self._catalog, turn)
            stored = run_turn(store, ReplayEngine(turn), turn.message)
        self._memory.stored(stored, turn.message.client_message_id)

    def _puzzle(self, session_id: UUID, error: Exception) -> bool:
        """To be tried again, or set aside where it doesn't fit."""
        if isinstance(error, DBAPIError) and not isinstance(error, IntegrityError | DataError):
            log.error("replay will be tried again", session_id=str(session_id), error=type(error).__name__)
            return False
        self._memory.forget(session_id)
        aside = self._spool.set_aside(session_id, "diverged")
        expected = isinstance(error, Diverged | MessageIdReused | TurnAbandoned | SessionNotFound)
        log.error(
            "spooled turns don't fit their session", kept=aside.name, exc_info=None if expected else error
        )
        return True
