"""A step with all that it leads to: what the stores keep, and what the sender is told."""

from dataclasses import dataclass

from chat_service.programs.coach.coach import Step
from chat_service.programs.coach.next_step import Next, after
from chat_service.programs.coach.session_state import ProgramPlace
from chat_service.programs.sessions.schemas import Reply, reply_to


@dataclass(frozen=True)
class Answered:
    step: Step
    following: Next
    reply: Reply


def answered(place: ProgramPlace, step: Step) -> Answered:
    following = after(place, step)
    return Answered(step, following, reply_to(place, step, following))
