"""What programmes ask of the place where sessions are kept, and what they hand to it."""

from dataclasses import dataclass
from typing import Protocol
from uuid import UUID

from chat_service.programs.coach.session_state import ProgramPlace
from chat_service.programs.content.model import Programme
from chat_service.programs.sessions.schemas import LastTurn, MessageOut, ProgramOut, SessionListed


@dataclass(frozen=True)
class Beginner:
    """Who begins. `key` makes the start repeatable; `hourly_limit` is for all anonymous starts together."""

    id: UUID
    name: str
    locale: str | None = None
    anonymous: bool = False
    key: str | None = None
    hourly_limit: int | None = None

    def asks_for(self, begun: str, name: str, locale: str, *, slug: str) -> bool:
        """Whether a session of the programme `begun` is what this beginner wants of `slug`."""
        return (begun, name) == (slug, self.name) and self.locale in (None, locale)


@dataclass(frozen=True)
class Started:
    """`is_repeated`: the same request had begun it."""

    session_id: UUID
    is_new: bool
    is_repeated: bool = False


@dataclass(frozen=True)
class Record:
    """A session with everything that was said in it."""

    place: ProgramPlace
    messages: list[MessageOut]
    last_turn: LastTurn | None
    stored: bool = True


class SessionStore(Protocol):
    """Raises SessionNotFound for what is somebody else's."""

    def programs(self, user_id: UUID, after: UUID | None, limit: int) -> list[ProgramOut]: ...

    def programme(self, slug: str) -> Programme: ...

    def start(self, beginner: Beginner, slug: str) -> Started: ...

    def read(self, session_id: UUID, user_id: UUID) -> Record: ...

    def locale(self, session_id: UUID, user_id: UUID) -> str | None:
        """The session's locale, where it can be told without asking a server."""

    def listed(self, user_id: UUID, after: UUID | None, limit: int) -> list[SessionListed]: ...

    def set_paused(self, session_id: UUID, user_id: UUID, *, paused: bool) -> None: ...

    def claim(self, session_id: UUID, participant_id: UUID, user_id: UUID) -> None: ...
