"""Rules of programs: who may begin, go on, go back and look."""

import hashlib
from collections.abc import Callable
from uuid import UUID

from chat_service.platform.language_model.client import LanguageModel
from chat_service.programs.coach.engine import CoachEngine, ModelCoachEngine, RestartEngine
from chat_service.programs.sessions.errors import NotAnonymous, WeekNotBegun
from chat_service.programs.sessions.participant import participant_id
from chat_service.programs.sessions.schemas import (
    AnonymousStart,
    Answer,
    AnswerOut,
    ProgramOut,
    Restart,
    SessionListed,
    SessionOut,
    StartProgram,
    WeekOut,
    session_out,
    week_out,
)
from chat_service.programs.sessions.store import SessionStore, StartRequest, StartResult
from chat_service.programs.sessions.turn_runner import TurnRunner
from chat_service.safety.help.offline_help import help_on_failure
from chat_service.turns.model import Message


class Programs:
    """Everything that a participant does."""

    def __init__(
        self,
        sessions: SessionStore,
        take: TurnRunner,
        model: Callable[[], LanguageModel | None] = lambda: None,
    ) -> None:
        self._sessions = sessions
        self._take = take
        self._model = model

    def page(self, user_id: UUID, after: UUID | None, limit: int) -> list[ProgramOut]:
        return self._sessions.programs(user_id, after, limit)

    def sessions(self, user_id: UUID, after: UUID | None, limit: int) -> list[SessionListed]:
        return self._sessions.listed(user_id, after, limit)

    def start(self, beginner: StartRequest, slug: str) -> tuple[SessionOut, StartResult]:
        """The open session of this program, or a new one."""
        begun = self._sessions.start(beginner, slug)
        return self.view(beginner.id, begun.session_id), begun

    def start_anonymously(self, slug: str, body: StartProgram, key: str, hourly_limit: int) -> AnonymousStart:
        """A session for whoever holds the key. Raises NotAnonymous where the program wants an account."""
        program = self._sessions.program(slug)
        if not program.anonymous:
            raise NotAnonymous
        beginner = StartRequest(
            id=participant_id(key),
            name=body.name or "you",
            locale=body.locale,
            anonymous=True,
            hourly_limit=hourly_limit,
        )
        session, _ = self.start(beginner, slug)
        return AnonymousStart(session_key=key, session=session)

    def view(self, user_id: UUID, session_id: UUID) -> SessionOut:
        """Everything needed to go on. Raises SessionNotFound."""
        found = self._sessions.read(session_id, user_id)
        return session_out(found.program_session, found.messages, found.last_turn, stored=found.stored)

    def week(self, user_id: UUID, session_id: UUID, number: int) -> WeekOut:
        """A week to read back. Raises SessionNotFound and WeekNotBegun."""
        found = self._sessions.read(session_id, user_id)
        week = found.program_session.program.week_numbered(number)
        if week is None or found.program_session.state.state_of(week.week_id) is None:
            raise WeekNotBegun
        said = [message for message in found.messages if message.week == number]
        return week_out(found.program_session, week, said)

    def answer(self, user_id: UUID, session_id: UUID, body: Answer, preferred_locale: str) -> AnswerOut:
        """One turn. Raises what `run_turn` raises, SessionNotFound, SessionPaused and SessionCompleted.

        `preferred_locale` is for help where the session's own can't be told.
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
            return self._take(self._engine(), message)

    def restart(self, user_id: UUID, session_id: UUID, number: int, body: Restart) -> AnswerOut:
        """A turn that begins a week anew. Raises as `answer` does, and WeekNotBegun."""
        words = f"Restart week {number}"
        message = Message(
            user_id=user_id,
            conversation_id=session_id,
            client_message_id=body.client_message_id,
            fingerprint=_fingerprint(words),
            text=words,
        )
        return self._take(RestartEngine(number), message)

    def set_paused(self, user_id: UUID, session_id: UUID, *, paused: bool) -> SessionOut:
        self._sessions.set_paused(session_id, user_id, paused=paused)
        return self.view(user_id, session_id)

    def claim(self, user_id: UUID, session_id: UUID, key: str) -> SessionOut:
        """Raises SessionNotFound for a key that doesn't open it, and AlreadyTakingPart."""
        self._sessions.claim(session_id, participant_id(key), user_id)
        return self.view(user_id, session_id)

    def _engine(self) -> CoachEngine:
        model = self._model()
        return ModelCoachEngine(model) if model is not None else CoachEngine()


def _fingerprint(said: str) -> str:
    return hashlib.sha256(said.encode()).hexdigest()
