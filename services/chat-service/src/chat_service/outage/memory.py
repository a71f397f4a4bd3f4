"""What this process remembers of sessions, to go on with them while PostgreSQL is away.

It is exact as long as this process alone writes to a session, which the
spool's lock makes sure of (see `spool.py`).
"""

from dataclasses import dataclass, field, replace
from threading import Lock
from uuid import UUID

from cachetools import LRUCache

from chat_service.programs.place import Snapshot
from chat_service.turns.model import Turn

SESSIONS = 10_000
"""About 10 KB each."""


@dataclass(frozen=True)
class Remembered:
    """A session's newest state and its last completed turn, with the message it answered.

    `messages` are the ids of all messages of the session, where they are known.
    """

    snapshot: Snapshot
    message_ids: frozenset[str] = field(default_factory=frozenset)
    last: Turn | None = None
    last_message_id: str | None = None


class Memory:
    """The sessions that were used last, by id."""

    def __init__(self) -> None:
        self._sessions: LRUCache[UUID, Remembered] = LRUCache(SESSIONS)
        self._lock = Lock()

    def get(self, session_id: UUID) -> Remembered | None:
        with self._lock:
            found: Remembered | None = self._sessions.get(session_id)
            return found

    def see(self, snapshot: Snapshot, message_ids: frozenset[str]) -> None:
        """Remember a session as it was read; an older state than the known one is ignored."""
        with self._lock:
            known = self._sessions.get(snapshot.session_id)
            if known is None:
                self._sessions[snapshot.session_id] = Remembered(snapshot, message_ids)
            elif known.snapshot.version <= snapshot.version:
                ids = known.message_ids | message_ids
                self._sessions[snapshot.session_id] = replace(known, snapshot=snapshot, message_ids=ids)

    def completed(self, snapshot: Snapshot, turn: Turn, message_id: str) -> None:
        """Remember what a turn led to."""
        with self._lock:
            known = self._sessions.get(snapshot.session_id)
            ids = (known.message_ids if known else frozenset()) | {message_id}
            self._sessions[snapshot.session_id] = Remembered(snapshot, ids, turn, message_id)

    def forget(self, session_id: UUID) -> None:
        with self._lock:
            self._sessions.pop(session_id, None)
