"""The engine of programs: what is said to an answer, and to the wish to begin a week anew."""

from collections.abc import Callable
from dataclasses import dataclass

import structlog

from chat_service.platform.language_model.client import LanguageModel, ModelUnavailable
from chat_service.programs.coach.analysis import MessageAnalysis
from chat_service.programs.coach.coach import CoachReply, respond, restart, support
from chat_service.programs.coach.intents import Intent, intent_of
from chat_service.programs.coach.judging import Rules
from chat_service.programs.coach.model_judge import ModelJudge
from chat_service.programs.coach.session_state import ProgramSession
from chat_service.programs.coach.turn_result import TurnResult, build_turn_result
from chat_service.programs.sessions.errors import SessionCompleted, SessionPaused, WeekLocked, WeekNotBegun
from chat_service.safety.detection.detector import detect_risk
from chat_service.turns.model import Message

log = structlog.stdlib.get_logger(__name__)


class CoachEngine:
    """The coach answers by the program's own rules and texts."""

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
            return build_turn_result(
                program_session,
                support(program_session.context, message.text, analysis.intent, analysis.risk),
            )
        return build_turn_result(
            program_session, self._respond(message.text, program_session, analysis.intent, renew)
        )

    def _respond(
        self, said: str, program_session: ProgramSession, intent: Intent, _: Callable[[], None]
    ) -> CoachReply:
        return respond(program_session.context, said, intent, Rules())


@dataclass(frozen=True)
class ModelCoachEngine(CoachEngine):
    """The coach answers by a language model; where it fails the rules do, and the turn says so.

    While the database is away the rules answer alone: the learner's words
    are not on the disk yet then, and no model is asked before they are.
    """

    model: LanguageModel

    def _respond(
        self, said: str, program_session: ProgramSession, intent: Intent, renew: Callable[[], None]
    ) -> CoachReply:
        if not program_session.stored:
            return super()._respond(said, program_session, intent, renew)
        try:
            step = respond(program_session.context, said, intent, ModelJudge(self.model, renew))
        except ModelUnavailable as error:
            log.warning("answered without the language model", reason=error.reason)
            step = super()._respond(said, program_session, intent, renew)
            return step.model_copy(update={"fallback": error.reason})
        return step.model_copy(update={"answered_by": "model"}) if step.counts else step


@dataclass(frozen=True)
class RestartEngine(CoachEngine):
    """A week is begun anew."""

    week_number: int

    def admit(self, program_session: ProgramSession) -> ProgramSession:
        week = program_session.program.week_numbered(self.week_number)
        if week is None or program_session.state.state_of(week.week_id) is None:
            raise WeekNotBegun
        admitted = super().admit(program_session)
        if week.week_number > program_session.week.week_number:
            raise WeekLocked
        return admitted

    def analyze(self, _message: Message, _place: ProgramSession) -> MessageAnalysis:
        return MessageAnalysis(None, Intent(kind="restart"))

    def answer(
        self,
        message: Message,
        program_session: ProgramSession,
        _reading: MessageAnalysis,
        _renew: Callable[[], None],
    ) -> TurnResult:
        return build_turn_result(
            program_session, restart(program_session.context, self.week_number, message.text)
        )
