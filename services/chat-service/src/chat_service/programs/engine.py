"""The engine of programmes: what is said to an answer, and to the wish to begin a week anew."""

from collections.abc import Callable
from dataclasses import dataclass

from chat_service.programs.answered import Answered, answered
from chat_service.programs.coach import respond, restart, support
from chat_service.programs.errors import SessionCompleted, SessionPaused, WeekLocked, WeekNotBegun
from chat_service.programs.intents import Intent, intent_of
from chat_service.programs.judging import Rules
from chat_service.programs.place import ProgramPlace
from chat_service.programs.reading import ProgramReading
from chat_service.safety.check import check
from chat_service.turns.model import Message


class Coaching:
    """The coach answers by the programme's own rules and texts."""

    def admit(self, place: ProgramPlace) -> ProgramPlace:
        if place.snapshot.completed:
            raise SessionCompleted
        if place.snapshot.paused_at is not None:
            raise SessionPaused
        return place

    def read(self, message: Message, place: ProgramPlace) -> ProgramReading:
        locale = place.snapshot.locale
        return ProgramReading(check(message.text, locale), intent_of(message.text, place.programme.locale))

    def answer(
        self, message: Message, place: ProgramPlace, reading: ProgramReading, _: Callable[[], None]
    ) -> Answered:
        if reading.risk is not None:
            return answered(place, support(place.standing, message.text, reading.intent, reading.risk))
        return answered(place, respond(place.standing, message.text, reading.intent, Rules()))


@dataclass(frozen=True)
class Restarting(Coaching):
    """A week is begun anew."""

    week_number: int

    def admit(self, place: ProgramPlace) -> ProgramPlace:
        week = place.programme.week_numbered(self.week_number)
        if week is None or place.snapshot.state_of(week.week_id) is None:
            raise WeekNotBegun
        admitted = super().admit(place)
        if week.week_number > place.week.week_number:
            raise WeekLocked
        return admitted

    def read(self, _message: Message, _place: ProgramPlace) -> ProgramReading:
        return ProgramReading(None, Intent(kind="restart"))

    def answer(
        self, message: Message, place: ProgramPlace, _reading: ProgramReading, _renew: Callable[[], None]
    ) -> Answered:
        return answered(place, restart(place.standing, self.week_number, message.text))
