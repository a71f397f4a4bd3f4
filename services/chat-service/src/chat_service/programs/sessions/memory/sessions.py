"""The session store in memory."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from uuid import NAMESPACE_URL, UUID, uuid5

from chat_service.programs.coach.session_state import SessionState
from chat_service.programs.content.model import Program
from chat_service.programs.sessions.errors import (
    AlreadyTakingPart,
    SessionNotFound,
    StartKeyReused,
    TooManyStarts,
)
from chat_service.programs.sessions.memory.store import MemoryMessage, MemorySession, MemoryStore, MemoryWeek
from chat_service.programs.sessions.store import (
    ListedProgram,
    ListedSession,
    SessionHistory,
    StartRequest,
    StartResult,
    new_program_session,
)
from chat_service.programs.sessions.turn_messages import QuestionPosition, coach_message
from cogniflow_kit.ids import utc_now

ANONYMOUS_WINDOW = timedelta(hours=1)


class MemorySessionStore:
    """Behaves like `SqlSessionStore`; one call runs at a time."""

    def __init__(self, store: MemoryStore) -> None:
        self._store = store

    def programs(self, user_id: UUID, after: UUID | None, limit: int) -> list[ListedProgram]:
        with self._store.sessions() as sessions:
            listed = [
                _listed_program(program, _open(sessions, user_id, program.slug))
                for program in self._store.programs.values()
            ]
        ordered = sorted(listed, key=lambda program: program.id)
        return [program for program in ordered if after is None or program.id > after][: limit + 1]

    def program(self, slug: str) -> Program:
        return self._store.program(slug)

    def start(self, request: StartRequest, slug: str) -> StartResult:
        with self._store.sessions() as sessions:
            repeated = _repeated(sessions, request)
            if repeated is not None:
                first = repeated.state
                if not request.asks_for(repeated.program.slug, first.name, first.locale, slug=slug):
                    raise StartKeyReused
                return StartResult(repeated.state.session_id, is_new=False, is_repeated=True)
            program = self._store.program(slug)
            is_open = _open(sessions, request.id, slug)
            if is_open is not None:
                return StartResult(is_open.state.session_id, is_new=False)
            if request.anonymous and request.hourly_limit is not None:
                _limit_anonymous(sessions, request.hourly_limit)
            started = _begin(request, program)
            sessions[started.state.session_id] = started
            return StartResult(started.state.session_id, is_new=True)

    def read(self, session_id: UUID, user_id: UUID) -> SessionHistory:
        with self._store.session(session_id, user_id) as stored:
            messages = [memory_message.message for memory_message in stored.messages]
            return SessionHistory(stored.program_session, messages, stored.newest_turn)

    def locale(self, session_id: UUID, user_id: UUID) -> str | None:
        try:
            with self._store.session(session_id, user_id) as stored:
                return stored.state.locale
        except SessionNotFound:
            return None

    def listed(self, user_id: UUID, after: UUID | None, limit: int) -> list[ListedSession]:
        with self._store.sessions() as sessions:
            own = [_listed_session(stored) for stored in sessions.values() if stored.state.user_id == user_id]
        newest = sorted(own, key=lambda session: session.id, reverse=True)
        return [session for session in newest if after is None or session.id < after][: limit + 1]

    def set_paused(self, session_id: UUID, user_id: UUID, *, paused: bool) -> None:
        with self._store.session(session_id, user_id) as stored:
            since = stored.state.paused_at or utc_now()
            stored.state = replace(stored.state, paused_at=since if paused else None)

    def claim(self, session_id: UUID, participant_id: UUID, user_id: UUID) -> None:
        with self._store.sessions() as sessions:
            stored = sessions.get(session_id)
            if stored is not None and stored.state.user_id == user_id:
                return
            if stored is None or stored.state.user_id != participant_id:
                raise SessionNotFound
            is_open = _open(sessions, user_id, stored.program.slug)
            if is_open is not None and not stored.state.completed:
                raise AlreadyTakingPart
            stored.start_key = None
            stored.state = replace(stored.state, user_id=user_id, anonymous=False)


Sessions = Mapping[UUID, MemorySession]


def _open(sessions: Sessions, user_id: UUID, slug: str) -> MemorySession | None:
    own = (stored for stored in sessions.values() if stored.state.user_id == user_id)
    return next((k for k in own if k.program.slug == slug and not k.state.completed), None)


def _repeated(sessions: Sessions, request: StartRequest) -> MemorySession | None:
    if request.key is None:
        return None
    own = (stored for stored in sessions.values() if stored.state.user_id == request.id)
    return next((stored for stored in own if stored.start_key == request.key), None)


def _limit_anonymous(sessions: Sessions, hourly_limit: int) -> None:
    since = utc_now() - ANONYMOUS_WINDOW
    anonymous = (stored.state for stored in sessions.values() if stored.state.anonymous)
    if sum(session_state.created_at > since for session_state in anonymous) >= hourly_limit:
        raise TooManyStarts


def _begin(request: StartRequest, program: Program) -> MemorySession:
    program_session = new_program_session(request, program)
    session_state, context = program_session.state, program_session.context
    text = context.text(context.question.question_text)
    position = QuestionPosition(context.week.week_number, 1, context.question.question_number)
    question = coach_message(text, position, 0, session_state.created_at)
    return MemorySession(
        session_state,
        program,
        request.key,
        messages=[MemoryMessage(question)],
        weeks=[MemoryWeek(program_session.week_state, session_state.created_at)],
    )


def _listed_program(program: Program, is_open: MemorySession | None) -> ListedProgram:
    return ListedProgram(
        id=uuid5(NAMESPACE_URL, program.slug),
        slug=program.slug,
        title=program.title,
        description=program.description,
        coach=program.coach,
        locale=program.locale,
        anonymous=program.anonymous,
        version=program.version,
        weeks=len(program.active_weeks),
        session_id=is_open.state.session_id if is_open is not None else None,
    )


def _listed_session(stored: MemorySession) -> ListedSession:
    session_state: SessionState = stored.state
    return ListedSession(
        id=session_state.session_id,
        program=stored.program.slug,
        title=stored.program.title,
        version=stored.program.version,
        week=stored.program_session.week.week_number,
        completed=session_state.completed,
        paused=session_state.paused_at is not None,
        created_at=session_state.created_at,
        last_activity=stored.last_activity,
    )
