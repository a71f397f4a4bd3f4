"""What this process remembers of sessions, to go on with them while PostgreSQL is away.

It is exact as long as this process alone writes to a session, which the
spool's lock makes sure of (see `spool.py`).
"""

from dataclasses import dataclass, replace
from threading import Lock
from uuid import UUID

from cachetools import LRUCache

from chat_service.programs.coach.session_state import SessionState
from chat_service.turns.model import Turn

SESSIONS = 10_000
"""About 10 KB each."""


@dataclass(frozen=True)
class RecentSession:
    """A session's newest state, the ids of all its messages, and the last turn taken here."""

    state: SessionState
    message_ids: frozenset[str]
    last: Turn | None = None
    last_message_id: str | None = None


class RecentSessions:
    """The sessions that were used last, by id."""

    def __init__(self) -> None:
        self._sessions: LRUCache[UUID, RecentSession] = LRUCache(SESSIONS)
        self._lock = Lock()

    def get(self, session_id: UUID) -> RecentSession | None:
        with self._lock:
            found: RecentSession | None = self._sessions.get(session_id)
            return found

    def learn(self, session_state: SessionState, message_ids: frozenset[str]) -> None:
        """Remember a session that wasn't known, with all its messages."""
        with self._lock:
            self._sessions.setdefault(session_state.session_id, RecentSession(session_state, message_ids))

    def see(self, session_state: SessionState) -> None:
        """Remember a known session as it was read; an older state than the known one is ignored."""
        with self._lock:
            known = self._sessions.get(session_state.session_id)
            if known is not None and known.state.version <= session_state.version:
                self._sessions[session_state.session_id] = replace(known, state=session_state)

    def completed(self, session_state: SessionState, turn: Turn, message_id: str) -> None:
        """Remember what a turn of a known session led to."""
        with self._lock:
            known = self._sessions.get(session_state.session_id)
            if known is not None:
                ids = known.message_ids | {message_id}
                self._sessions[session_state.session_id] = RecentSession(session_state, ids, turn, message_id)

    def stored(self, turn: Turn, message_id: str) -> None:
        """Remember how PostgreSQL has a turn that waited, if it is still the session's last."""
        with self._lock:
            known = self._sessions.get(turn.conversation_id)
            if known is not None and known.last_message_id == message_id:
                self._sessions[turn.conversation_id] = replace(known, last=turn)

    def forget(self, session_id: UUID) -> None:
        with self._lock:
            self._sessions.pop(session_id, None)

    def forget_person(self, user_id: UUID) -> None:
        with self._lock:
            gone = [key for key, known in self._sessions.items() if known.state.user_id == user_id]
            for session_id in gone:
                del self._sessions[session_id]
