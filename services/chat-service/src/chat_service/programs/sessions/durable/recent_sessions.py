"""Sessions that this process used recently, to continue them while PostgreSQL is away.

They are exact as long as this process alone writes to a session, which the
lock of the spool's folder ensures (see `spool.py`).
"""

from dataclasses import dataclass, replace
from threading import Lock
from uuid import UUID

from cachetools import LRUCache

from chat_service.programs.coach.session_state import SessionState
from chat_service.programs.coach.turn import ProgramReply
from chat_service.turns.model import Turn

SESSIONS = 10_000
"""About 10 KB each."""


@dataclass(frozen=True)
class RecentSession:
    """A session's newest state, the ids of all its messages, and the last turn that this process ran."""

    state: SessionState
    message_ids: frozenset[str]
    last: Turn[ProgramReply] | None = None
    last_message_id: str | None = None


class RecentSessions:
    """The most recently used sessions, by id."""

    def __init__(self) -> None:
        self._sessions: LRUCache[UUID, RecentSession] = LRUCache(SESSIONS)
        self._lock = Lock()

    def get(self, session_id: UUID) -> RecentSession | None:
        with self._lock:
            found: RecentSession | None = self._sessions.get(session_id)
            return found

    def add(self, session_state: SessionState, message_ids: frozenset[str]) -> None:
        """Add a session with the ids of all its messages; a known one stays as it is."""
        with self._lock:
            self._sessions.setdefault(session_state.session_id, RecentSession(session_state, message_ids))

    def update_state(self, session_state: SessionState) -> None:
        """Set the state of a known session; a state older than the known one is ignored."""
        with self._lock:
            known = self._sessions.get(session_state.session_id)
            if known is not None and known.state.version <= session_state.version:
                self._sessions[session_state.session_id] = replace(known, state=session_state)

    def record_turn(self, session_state: SessionState, turn: Turn[ProgramReply], message_id: str) -> None:
        """Set state and last turn of a known session."""
        with self._lock:
            known = self._sessions.get(session_state.session_id)
            if known is not None:
                ids = known.message_ids | {message_id}
                self._sessions[session_state.session_id] = RecentSession(session_state, ids, turn, message_id)

    def replace_turn(self, turn: Turn[ProgramReply], message_id: str) -> None:
        """Replace the last turn by the one that PostgreSQL stored, if it answered the same message."""
        with self._lock:
            known = self._sessions.get(turn.conversation_id)
            if known is not None and known.last_message_id == message_id:
                self._sessions[turn.conversation_id] = replace(known, last=turn)

    def remove(self, session_id: UUID) -> None:
        with self._lock:
            self._sessions.pop(session_id, None)

    def remove_person(self, user_id: UUID) -> None:
        with self._lock:
            gone = [key for key, known in self._sessions.items() if known.state.user_id == user_id]
            for session_id in gone:
                del self._sessions[session_id]
