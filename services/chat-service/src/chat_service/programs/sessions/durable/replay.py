"""Looks for PostgreSQL while turns wait for it, and has them stored when it is back."""

import time
from contextlib import suppress
from threading import Event, Thread
from uuid import UUID

import structlog

from chat_service.programs.sessions.durable.fallback_store import PATIENCE_S
from chat_service.programs.sessions.durable.replay_session import SessionReplayer
from chat_service.programs.sessions.durable.spool import Spool
from chat_service.turns.errors import TurnInProgress
from cogniflow_kit.sql.database import Database
from cogniflow_kit.sql.deadline import within

log = structlog.stdlib.get_logger(__name__)

PAUSE_S = 0.5
SLICE_S = 0.1
"""How long a session is kept from its sender at once."""
TURN_S = 2.0
"""How long a turn of the session is waited for."""


class ReplayThread:
    """Goes through the spool again and again, in a thread of its own."""

    def __init__(self, database: Database, spool: Spool, storing: SessionReplayer) -> None:
        self._database = database
        self._spool = spool
        self._storing = storing
        self._stopping = Event()
        self._thread = Thread(target=self._loop, name="replay", daemon=True)

    def start(self) -> None:
        self._spool.open()
        self._thread.start()

    def stop(self) -> None:
        self._stopping.set()
        self._thread.join(timeout=10)
        self._spool.close()

    def once(self) -> None:
        """Store what waits, if PostgreSQL is there and as long as it is."""
        if not self._spool.waiting or not self._is_there():
            return
        self._storing.is_there.set()
        for session_id in self._spool.sessions():
            self._session(session_id)

    def _session(self, session_id: UUID) -> None:
        # In slices, for the session goes on meanwhile, in the spool.
        while self._storing.is_there.is_set() and not self._stopping.is_set():
            with suppress(TurnInProgress), self._spool.hold(session_id, TURN_S):
                before = self._spool.unstored_turns(session_id)
                if self._storing.store(session_id, SLICE_S):
                    return
                if self._spool.unstored_turns(session_id) == before:
                    return  # stuck; the others shall not wait for it
            time.sleep(0)

    def _loop(self) -> None:
        while True:
            try:
                self.once()
            except Exception:  # this thread has to go on
                log.exception("replay broke off")
            if self._stopping.wait(PAUSE_S):
                return

    def _is_there(self) -> bool:
        """Asked before a session is held: a frozen server would keep it from its sender."""
        try:
            with within(PATIENCE_S):
                self._database.check()
        except Exception as error:  # noqa: BLE001 -- whatever a driver raises, it isn't there
            log.debug("turns wait for PostgreSQL", count=self._spool.waiting, error=type(error).__name__)
            return False
        return True
