"""What program sessions need of a store, and the types that it returns."""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal, Protocol
from uuid import UUID

from chat_service.programs.coach.session_state import ProgramSession, SessionState, WeekState
from chat_service.programs.content.model import Program
from chat_service.turns.model import Status
from cogniflow_kit.ids import new_id, utc_now


@dataclass(frozen=True)
class ListedProgram:
    """A program that can be started. `weeks`: the number of active ones; `session_id`: the open session."""

    id: UUID
    slug: str
    title: str
    description: str
    coach: str
    locale: str
    anonymous: bool
    version: int
    weeks: int
    session_id: UUID | None


@dataclass(frozen=True)
class ListedSession:
    """A session of the caller. `version` is the program's, `week` the current one."""

    id: UUID
    program: str
    title: str
    version: int
    week: int
    completed: bool
    paused: bool
    created_at: datetime
    last_activity: datetime


@dataclass(frozen=True)
class SessionMessage:
    """A message of the participant or the coach. `run` counts how often its week was begun.

    `queued`: its turn waits in the spool, and `turn_sequence` is expected.
    """

    sender: Literal["user", "nova"]
    message_text: str
    message_type: Literal["text", "voice"]
    recording_ref: str | None
    week: int
    run: int
    question_number: int | None
    turn_sequence: int
    created_at: datetime
    queued: bool = False


@dataclass(frozen=True)
class NewestTurn:
    """The newest turn of a session."""

    turn_id: UUID
    sequence: int
    client_message_id: str
    status: Status


@dataclass(frozen=True)
class SessionHistory:
    """A session with all its messages. Not `stored`: only with those sent since PostgreSQL is away."""

    program_session: ProgramSession
    messages: list[SessionMessage]
    newest_turn: NewestTurn | None
    stored: bool = True


@dataclass(frozen=True)
class StartRequest:
    """The participant and the start that they ask for.

    `locale` is what the body asks for, `preferred_locale` what the header
    Accept-Language prefers. `key` makes the start repeatable; `hourly_limit`
    bounds the anonymous starts of the whole installation.
    """

    id: UUID
    name: str
    locale: str | None = None
    preferred_locale: str | None = None
    anonymous: bool = False
    key: str | None = None
    hourly_limit: int | None = None

    def asks_for(self, begun: str, name: str, locale: str, *, slug: str) -> bool:
        """Whether a session of the program `begun` is what this request wants of `slug`."""
        return (begun, name) == (slug, self.name) and self.locale in (None, locale)


@dataclass(frozen=True)
class StartResult:
    """`is_repeated`: an earlier request with the same key began the session."""

    session_id: UUID
    is_new: bool
    is_repeated: bool = False


def new_program_session(
    request: StartRequest, program: Program, experiment_id: UUID | None = None
) -> ProgramSession:
    """A session at its first question."""
    week = program.weeks[0]
    session_state = SessionState(
        session_id=new_id(),
        user_id=request.id,
        version_id=program.version_id,
        current_week_id=week.week_id,
        experiment_id=experiment_id,
        name=request.name,
        locale=request.locale or request.preferred_locale or program.locale,
        anonymous=request.anonymous,
        created_at=utc_now(),
        weeks=[WeekState(week_id=week.week_id)],
    )
    return ProgramSession(session_state, program)


class SessionStore(Protocol):
    """Stores program sessions. Raises: SessionNotFound (also for a session of another participant)."""

    def programs(self, user_id: UUID, after: UUID | None, limit: int) -> list[ListedProgram]:
        """One more than `limit` when there are more."""

    def program(self, slug: str) -> Program:
        """Raises: ProgramNotFound."""

    def start(self, request: StartRequest, slug: str) -> StartResult: ...

    def read(self, session_id: UUID, user_id: UUID) -> SessionHistory: ...

    def locale(self, session_id: UUID, user_id: UUID) -> str | None:
        """The session's locale if it is known without a query."""

    def listed(self, user_id: UUID, after: UUID | None, limit: int) -> list[ListedSession]:
        """One more than `limit` when there are more."""

    def set_paused(self, session_id: UUID, user_id: UUID, *, paused: bool) -> None: ...

    def claim(self, session_id: UUID, participant_id: UUID, user_id: UUID) -> None:
        """Make an anonymous session the account's."""
