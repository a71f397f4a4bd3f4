"""Takes a turn of a program where its session is kept."""

from typing import Protocol

from chat_service.programs.coach.analysis import MessageAnalysis
from chat_service.programs.coach.engine import CoachEngine
from chat_service.programs.coach.session_state import ProgramSession
from chat_service.programs.coach.turn_result import TurnResult
from chat_service.programs.sessions.schemas import AnswerOut
from chat_service.turns.model import Message, Turn, TurnStore
from chat_service.turns.protocol import run_turn

ProgramTurns = TurnStore[ProgramSession, MessageAnalysis, TurnResult]


class TurnRunner(Protocol):
    def __call__(self, engine: CoachEngine, message: Message) -> AnswerOut: ...


class DirectTurnRunner:
    """One store, which is there or isn't."""

    def __init__(self, turns: ProgramTurns) -> None:
        self._turns = turns

    def __call__(self, engine: CoachEngine, message: Message) -> AnswerOut:
        return answer_out(run_turn(self._turns, engine, message))


def answer_out(turn: Turn) -> AnswerOut:
    """What a completed turn's sender gets, the first time and every time."""
    return AnswerOut.model_validate(
        {
            **(turn.reply or {}),
            "session_id": turn.conversation_id,
            "turn_id": turn.id,
            "sequence": turn.sequence,
        }
    )
