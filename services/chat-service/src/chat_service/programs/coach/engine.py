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
from chat_service.programs.coach.turn_result import TurnResult, answered
from chat_service.programs.sessions.errors import SessionCompleted, SessionPaused, WeekLocked, WeekNotBegun
from chat_service.safety.detection.check import check
from chat_service.turns.model import Message

log = structlog.stdlib.get_logger(__name__)


class CoachEngine:
    """The coach answers by the program's own rules and texts."""

    def admit(self, place: ProgramSession) -> ProgramSession:
        if place.snapshot.completed:
            raise SessionCompleted
        if place.snapshot.paused_at is not None:
            raise SessionPaused
        return place

    def read(self, message: Message, place: ProgramSession) -> MessageAnalysis:
        locale = place.snapshot.locale
        return MessageAnalysis(check(message.text, locale), intent_of(message.text, place.program.locale))

    def answer(
        self, message: Message, place: ProgramSession, reading: MessageAnalysis, renew: Callable[[], None]
    ) -> TurnResult:
        if reading.risk is not None:
            return answered(place, support(place.standing, message.text, reading.intent, reading.risk))
        return answered(place, self._respond(message.text, place, reading.intent, renew))

    def _respond(self, said: str, place: ProgramSession, intent: Intent, _: Callable[[], None]) -> CoachReply:
        return respond(place.standing, said, intent, Rules())


@dataclass(frozen=True)
class ModelCoachEngine(CoachEngine):
    """The coach answers by a language model; where it fails the rules do, and the turn says so.

    While the database is away the rules answer alone: the learner's words
    are not on the disk yet then, and no model is asked before they are.
    """

    model: LanguageModel

    def _respond(
        self, said: str, place: ProgramSession, intent: Intent, renew: Callable[[], None]
    ) -> CoachReply:
        if not place.stored:
            return super()._respond(said, place, intent, renew)
        try:
            step = respond(place.standing, said, intent, ModelJudge(self.model, renew))
        except ModelUnavailable as error:
            log.warning("answered without the language model", reason=error.reason)
            step = super()._respond(said, place, intent, renew)
            return step.model_copy(update={"fallback": error.reason})
        return step.model_copy(update={"answered_by": "model"}) if step.counts else step


@dataclass(frozen=True)
class RestartEngine(CoachEngine):
    """A week is begun anew."""

    week_number: int

    def admit(self, place: ProgramSession) -> ProgramSession:
        week = place.program.week_numbered(self.week_number)
        if week is None or place.snapshot.state_of(week.week_id) is None:
            raise WeekNotBegun
        admitted = super().admit(place)
        if week.week_number > place.week.week_number:
            raise WeekLocked
        return admitted

    def read(self, _message: Message, _place: ProgramSession) -> MessageAnalysis:
        return MessageAnalysis(None, Intent(kind="restart"))

    def answer(
        self, message: Message, place: ProgramSession, _reading: MessageAnalysis, _renew: Callable[[], None]
    ) -> TurnResult:
        return answered(place, restart(place.standing, self.week_number, message.text))
