"""What programs ask of the place where sessions are kept, and what they hand to it."""

from dataclasses import dataclass
from typing import Protocol
from uuid import UUID

from chat_service.programs.coach.session_state import ProgramSession
from chat_service.programs.content.model import Program
from chat_service.programs.sessions.schemas import LastTurn, MessageOut, ProgramOut, SessionListed


@dataclass(frozen=True)
class StartRequest:
    """Who begins. `key` makes the start repeatable; `hourly_limit` is for all anonymous starts together."""

    id: UUID
    name: str
    locale: str | None = None
    anonymous: bool = False
    key: str | None = None
    hourly_limit: int | None = None

    def asks_for(self, begun: str, name: str, locale: str, *, slug: str) -> bool:
        """Whether a session of the program `begun` is what this beginner wants of `slug`."""
        return (begun, name) == (slug, self.name) and self.locale in (None, locale)


@dataclass(frozen=True)
class StartResult:
    """`is_repeated`: the same request had begun it."""

    session_id: UUID
    is_new: bool
    is_repeated: bool = False


@dataclass(frozen=True)
class SessionHistory:
    """A session with everything that was said in it."""

    program_session: ProgramSession
    messages: list[MessageOut]
    last_turn: LastTurn | None
    stored: bool = True


class SessionStore(Protocol):
    """Raises SessionNotFound for what is somebody else's."""

    def programs(self, user_id: UUID, after: UUID | None, limit: int) -> list[ProgramOut]: ...

    def program(self, slug: str) -> Program: ...

    def start(self, beginner: StartRequest, slug: str) -> StartResult: ...

    def read(self, session_id: UUID, user_id: UUID) -> SessionHistory: ...

    def locale(self, session_id: UUID, user_id: UUID) -> str | None:
        """The session's locale, where it can be told without asking a server."""

    def listed(self, user_id: UUID, after: UUID | None, limit: int) -> list[SessionListed]: ...

    def set_paused(self, session_id: UUID, user_id: UUID, *, paused: bool) -> None: ...

    def claim(self, session_id: UUID, participant_id: UUID, user_id: UUID) -> None: ...
