"""Rules of program sessions: start, read, answer, restart, pause, claim."""

import hashlib
from collections.abc import Callable
from uuid import UUID

from chat_service.platform.language_model.client import LanguageModel
from chat_service.programs.coach.engine import CoachEngine, ModelCoachEngine, RestartEngine
from chat_service.programs.coach.errors import WeekNotBegun
from chat_service.programs.content.model import Week
from chat_service.programs.sessions.errors import NotAnonymous
from chat_service.programs.sessions.participant import participant_id
from chat_service.programs.sessions.schemas import Answer, StartProgram
from chat_service.programs.sessions.store import (
    ListedProgram,
    ListedSession,
    SessionHistory,
    SessionStore,
    StartRequest,
    StartResult,
)
from chat_service.programs.sessions.turn_runner import AnsweredMessage, TurnRunner
from chat_service.safety.help.offline_help import help_on_failure
from chat_service.turns.model import Message


class Programs:
    def __init__(
        self,
        sessions: SessionStore,
        run_turn: TurnRunner,
        model: Callable[[], LanguageModel | None] = lambda: None,
    ) -> None:
        self._sessions = sessions
        self._run_turn = run_turn
        self._model = model

    def page(self, user_id: UUID, after: UUID | None, limit: int) -> list[ListedProgram]:
        return self._sessions.programs(user_id, after, limit)

    def sessions(self, user_id: UUID, after: UUID | None, limit: int) -> list[ListedSession]:
        return self._sessions.listed(user_id, after, limit)

    def start(self, request: StartRequest, slug: str) -> tuple[SessionHistory, StartResult]:
        """The participant's open session of this program, or a new one."""
        started = self._sessions.start(request, slug)
        return self.read(request.id, started.session_id), started

    def start_anonymously(
        self, slug: str, body: StartProgram, key: str, preferred_locale: str | None, hourly_limit: int
    ) -> SessionHistory:
        """A session that the key opens. Raises: NotAnonymous (the program requires an account)."""
        if not self._sessions.program(slug).anonymous:
            raise NotAnonymous
        request = StartRequest(
            id=participant_id(key),
            name=body.name or "you",
            locale=body.locale,
            preferred_locale=preferred_locale,
            anonymous=True,
            hourly_limit=hourly_limit,
        )
        history, _ = self.start(request, slug)
        return history

    def read(self, user_id: UUID, session_id: UUID) -> SessionHistory:
        """Raises: SessionNotFound."""
        return self._sessions.read(session_id, user_id)

    def read_week(self, user_id: UUID, session_id: UUID, number: int) -> tuple[SessionHistory, Week]:
        """The session and a week of it that was begun. Raises: SessionNotFound, WeekNotBegun."""
        history = self._sessions.read(session_id, user_id)
        week = history.program_session.program.week_numbered(number)
        if week is None or history.program_session.state.state_of(week.week_id) is None:
            raise WeekNotBegun
        return history, week

    def answer(self, user_id: UUID, session_id: UUID, body: Answer, preferred_locale: str) -> AnsweredMessage:
        """Run one turn. Raises: SessionNotFound, SessionPaused, SessionCompleted, and as `run_turn` does.

        `preferred_locale` selects the help shown where the session's locale is unknown.
        """
        message = Message(
            user_id=user_id,
            conversation_id=session_id,
            client_message_id=body.client_message_id,
            fingerprint=_fingerprint(body.model_dump_json(exclude={"client_message_id"})),
            text=body.text,
            message_type=body.message_type,
            recording_ref=body.recording_ref,
        )
        with help_on_failure(body.text, self._sessions.locale(session_id, user_id) or preferred_locale):
            return self._run_turn(self._engine(), message)

    def restart(
        self, user_id: UUID, session_id: UUID, number: int, client_message_id: str
    ) -> AnsweredMessage:
        """Run a turn that restarts a week. Raises: as `answer` does, WeekNotBegun, WeekLocked."""
        text = f"Restart week {number}"
        message = Message(
            user_id=user_id,
            conversation_id=session_id,
            client_message_id=client_message_id,
            fingerprint=_fingerprint(text),
            text=text,
        )
        return self._run_turn(RestartEngine(number), message)

    def set_paused(self, user_id: UUID, session_id: UUID, *, paused: bool) -> SessionHistory:
        self._sessions.set_paused(session_id, user_id, paused=paused)
        return self.read(user_id, session_id)

    def claim(self, user_id: UUID, session_id: UUID, key: str) -> SessionHistory:
        """Raises: SessionNotFound (also for a key that doesn't open the session), AlreadyTakingPart."""
        self._sessions.claim(session_id, participant_id(key), user_id)
        return self.read(user_id, session_id)

    def _engine(self) -> CoachEngine:
        model = self._model()
        return ModelCoachEngine(model) if model is not None else CoachEngine()


def _fingerprint(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
