"""Program sessions in the memory of this process, for development and for USE_DB_PERSISTENCE=false.

One lock guards everything: what PostgreSQL's constraints decide between two
writers takes a few microseconds here.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from threading import RLock
from uuid import UUID

from chat_service.programs.coach.session_state import ProgramSession, SessionState, WeekState
from chat_service.programs.coach.turn import ProgramReply
from chat_service.programs.content.loader import parse
from chat_service.programs.content.model import Program
from chat_service.programs.sessions.errors import ProgramNotFound, SessionNotFound
from chat_service.programs.sessions.store import NewestTurn, SessionMessage
from chat_service.turns.model import Turn
from cogniflow_kit.ids import utc_now


@dataclass(frozen=True)
class MemoryTurn:
    """A turn under the id of the message that it answers."""

    message_id: str
    turn: Turn[ProgramReply]


@dataclass(frozen=True)
class MemoryMessage:
    """A message, with scenario and iteration of a coach reply."""

    message: SessionMessage
    scenario: str | None = None
    iteration: int | None = None


@dataclass(frozen=True)
class MemoryWeek:
    """One run of a week."""

    state: WeekState
    started_at: datetime
    completed_at: datetime | None = None


@dataclass
class MemorySession:
    """A session: its state, its turns in order, its messages, and every run of its weeks."""

    state: SessionState
    program: Program
    start_key: str | None = None
    turns: list[MemoryTurn] = field(default_factory=list)
    messages: list[MemoryMessage] = field(default_factory=list)
    weeks: list[MemoryWeek] = field(default_factory=list)
    last_activity: datetime = field(default_factory=utc_now)
    completed_at: datetime | None = None

    @property
    def program_session(self) -> ProgramSession:
        return ProgramSession(self.state, self.program)

    @property
    def last(self) -> MemoryTurn | None:
        return self.turns[-1] if self.turns else None

    @property
    def newest_turn(self) -> NewestTurn | None:
        if self.last is None:
            return None
        turn = self.last.turn
        return NewestTurn(
            turn_id=turn.id,
            sequence=turn.sequence,
            client_message_id=self.last.message_id,
            status=turn.status,
        )

    def turn(self, message_id: str) -> Turn[ProgramReply] | None:
        return next((stored.turn for stored in self.turns if stored.message_id == message_id), None)

    def put(self, turn: Turn[ProgramReply]) -> Turn[ProgramReply]:
        """Replace the turn with this id."""
        self.turns = [
            MemoryTurn(entry.message_id, turn) if entry.turn.id == turn.id else entry for entry in self.turns
        ]
        return turn


class MemoryStore:
    """All sessions by id, and the programs that can be begun, by slug."""

    def __init__(self, programs: Sequence[Program]) -> None:
        self.programs = {program.slug: program for program in programs}
        self._sessions: dict[UUID, MemorySession] = {}
        self._lock = RLock()

    @classmethod
    def from_folder(cls, folder: Path) -> "MemoryStore":
        """With the programs of a folder. Raises: InvalidProgram."""
        paths = sorted(folder.glob("*.yaml"))
        return cls([parse(path.read_text(encoding="utf-8"), path.name) for path in paths])

    @contextmanager
    def sessions(self) -> Iterator[dict[UUID, MemorySession]]:
        """All sessions, under the lock."""
        with self._lock:
            yield self._sessions

    @contextmanager
    def session(self, session_id: UUID | None, user_id: UUID) -> Iterator[MemorySession]:
        """A session of this participant, under the lock. Raises: SessionNotFound."""
        with self._lock:
            found = self._sessions.get(session_id) if session_id is not None else None
            if found is None or found.state.user_id != user_id:
                raise SessionNotFound
            yield found

    def program(self, slug: str) -> Program:
        """Raises: ProgramNotFound."""
        found = self.programs.get(slug)
        if found is None:
            raise ProgramNotFound
        return found
