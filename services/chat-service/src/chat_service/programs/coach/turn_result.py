"""A step with all that it leads to: what the stores keep, and what the sender is told."""

from dataclasses import dataclass

from chat_service.programs.coach.coach import CoachReply
from chat_service.programs.coach.next_step import NextStep, after
from chat_service.programs.coach.session_state import ProgramSession
from chat_service.programs.sessions.schemas import Reply, reply_to


@dataclass(frozen=True)
class TurnResult:
    step: CoachReply
    following: NextStep
    reply: Reply


def answered(place: ProgramSession, step: CoachReply) -> TurnResult:
    following = after(place, step)
    return TurnResult(step, following, reply_to(place, step, following))
