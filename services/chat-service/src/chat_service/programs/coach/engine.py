"""The engines of program turns: answer by rules, answer with a language model, restart a week."""

from collections.abc import Callable
from dataclasses import dataclass, replace

import structlog

from chat_service.platform.language_model.client import LanguageModel, ModelUnavailable
from chat_service.programs.coach.coach import (
    CoachReply,
    make_reply,
    make_restart_reply,
    make_supportive_reply,
)
from chat_service.programs.coach.errors import SessionCompleted, SessionPaused, WeekLocked, WeekNotBegun
from chat_service.programs.coach.intents import Intent, intent_of
from chat_service.programs.coach.judging import Rules
from chat_service.programs.coach.model_judge import ModelJudge
from chat_service.programs.coach.session_state import ProgramSession
from chat_service.programs.coach.turn import MessageAnalysis, TurnResult, build_turn_result
from chat_service.safety.detection.detector import detect_risk
from chat_service.turns.model import Message

log = structlog.stdlib.get_logger(__name__)


class CoachEngine:
    """Answers by the rules and texts of the program."""

    def admit(self, program_session: ProgramSession) -> ProgramSession:
        if program_session.state.completed:
            raise SessionCompleted
        if program_session.state.paused_at is not None:
            raise SessionPaused
        return program_session

    def analyze(self, message: Message, program_session: ProgramSession) -> MessageAnalysis:
        locale = program_session.state.locale
        return MessageAnalysis(
            detect_risk(message.text, locale), intent_of(message.text, program_session.program.locale)
        )

    def answer(
        self,
        message: Message,
        program_session: ProgramSession,
        analysis: MessageAnalysis,
        renew: Callable[[], None],
    ) -> TurnResult:
        if analysis.risk is not None:
            coach_reply = make_supportive_reply(
                program_session.context, message.text, analysis.intent, analysis.risk
            )
        else:
            coach_reply = self._reply(message.text, program_session, analysis.intent, renew)
        return build_turn_result(program_session, coach_reply)

    def _reply(
        self, message_text: str, program_session: ProgramSession, intent: Intent, _: Callable[[], None]
    ) -> CoachReply:
        return make_reply(program_session.context, message_text, intent, Rules())


@dataclass(frozen=True)
class ModelCoachEngine(CoachEngine):
    """Answers with a language model; when it fails, by the rules, with the reason in `fallback`.

    While PostgreSQL is away the rules answer: the message is on no disk yet,
    and no model is called before a message is stored.
    """

    model: LanguageModel

    def _reply(
        self, message_text: str, program_session: ProgramSession, intent: Intent, renew: Callable[[], None]
    ) -> CoachReply:
        if not program_session.stored:
            return super()._reply(message_text, program_session, intent, renew)
        try:
            judge = ModelJudge(self.model, renew)
            coach_reply = make_reply(program_session.context, message_text, intent, judge)
        except ModelUnavailable as error:
            log.warning("answered without the language model", reason=error.reason)
            coach_reply = super()._reply(message_text, program_session, intent, renew)
            return replace(coach_reply, fallback=error.reason)
        return replace(coach_reply, answered_by="model") if coach_reply.is_attempt else coach_reply


@dataclass(frozen=True)
class RestartEngine(CoachEngine):
    """Restarts a week."""

    week_number: int

    def admit(self, program_session: ProgramSession) -> ProgramSession:
        week = program_session.program.week_numbered(self.week_number)
        if week is None or program_session.state.state_of(week.week_id) is None:
            raise WeekNotBegun
        admitted = super().admit(program_session)
        if week.week_number > program_session.week.week_number:
            raise WeekLocked
        return admitted

    def analyze(self, _message: Message, _program_session: ProgramSession) -> MessageAnalysis:
        return MessageAnalysis(None, Intent(kind="restart"))

    def answer(
        self,
        message: Message,
        program_session: ProgramSession,
        _analysis: MessageAnalysis,
        _renew: Callable[[], None],
    ) -> TurnResult:
        return build_turn_result(
            program_session, make_restart_reply(program_session.context, self.week_number, message.text)
        )
