"""A step with all that it leads to: what the stores keep, and what the sender is told."""

from dataclasses import dataclass

from chat_service.programs.coach.coach import CoachReply
from chat_service.programs.coach.next_step import NextStep, find_next_step
from chat_service.programs.coach.session_state import ProgramSession
from chat_service.programs.sessions.schemas import Reply, reply_to


@dataclass(frozen=True)
class TurnResult:
    step: CoachReply
    next_step: NextStep
    reply: Reply


def build_turn_result(program_session: ProgramSession, step: CoachReply) -> TurnResult:
    next_step = find_next_step(program_session, step)
    return TurnResult(step, next_step, reply_to(program_session, step, next_step))
