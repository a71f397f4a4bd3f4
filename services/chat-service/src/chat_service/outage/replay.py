"""Stores the spooled turns when PostgreSQL is back: in order, once, as they were answered."""

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from threading import Event, Thread
from uuid import UUID

import structlog

from chat_service.outage.memory import Memory
from chat_service.outage.spool import Spool, Spooled
from chat_service.programs.answered import Answered, answered
from chat_service.programs.catalog import Catalog
from chat_service.programs.engine import Coaching
from chat_service.programs.errors import SessionNotFound
from chat_service.programs.place import ProgramPlace
from chat_service.programs.reading import ProgramReading
from chat_service.programs.stores.sql_turns import SqlTurns
from chat_service.turns.errors import MessageIdReused, TurnAbandoned, TurnInProgress
from chat_service.turns.model import Message
from chat_service.turns.protocol import take_turn
from cogniflow_kit.errors import Conflict
from cogniflow_kit.sql.database import Database, is_away

log = structlog.stdlib.get_logger(__name__)

PAUSE_S = 0.5


class Diverged(Conflict):
    """The session was changed by somebody else while its turns waited."""

    code = "session_diverged"


@dataclass(frozen=True)
class _Recorded(Coaching):
    """An engine that answers what was answered."""

    turn: Spooled

    def admit(self, place: ProgramPlace) -> ProgramPlace:
        if place.snapshot.version != self.turn.base:
            raise Diverged(f"version {place.snapshot.version} instead of {self.turn.base}")
        return place

    def read(self, _message: Message, _place: ProgramPlace) -> ProgramReading:
        return ProgramReading(self.turn.risk, self.turn.intent)

    def answer(
        self, _message: Message, place: ProgramPlace, _reading: ProgramReading, _renew: Callable[[], None]
    ) -> Answered:
        return answered(place, self.turn.step)


class Replay:
    """Goes through the spool again and again, in a thread of its own."""

    def __init__(self, database: Database, catalog: Catalog, spool: Spool, memory: Memory) -> None:
        self._database = database
        self._catalog = catalog
        self._spool = spool
        self._memory = memory
        self._stopping = Event()
        self._thread = Thread(target=self._loop, name="replay", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self._stopping.set()
        self._thread.join(timeout=10)

    def once(self) -> int:
        """Store what waits; returns how many sessions were. Raises when PostgreSQL is away."""
        return sum(self._session(session_id) for session_id in self._spool.sessions())

    def _loop(self) -> None:
        while not self._stopping.wait(PAUSE_S):
            try:
                self.once()
            except Exception as error:  # noqa: BLE001 -- tried again until it is stored
                level = log.debug if is_away(error) else log.error
                level("replay will be tried again", error=type(error).__name__)

    def _session(self, session_id: UUID) -> bool:
        with suppress(TurnInProgress), self._spool.hold(session_id):
            try:
                turns = self._spool.turns(session_id)
                for turn in turns:
                    self._store(turn)
            except SessionNotFound:
                log.warning("spooled turns of a session that is gone", session_id=str(session_id))
            except (Diverged, MessageIdReused, TurnAbandoned) as error:
                self._memory.forget(session_id)
                aside = self._spool.set_aside(session_id)
                log.warning("spooled turns don't fit their session", kept=aside.name, code=error.code)
                return False
            self._spool.remove(session_id)
            log.info("spooled turns stored", session_id=str(session_id), count=len(turns))
            return True
        return False

    def _store(self, turn: Spooled) -> None:
        store = SqlTurns(self._database, self._catalog, answered_at=turn.answered_at)
        stored = take_turn(store, _Recorded(turn), turn.message)
        self._memory.completed(turn.snapshot, stored, turn.message.client_message_id)
