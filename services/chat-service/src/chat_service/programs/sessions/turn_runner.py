"""Runs one turn of a program session in its store."""

from dataclasses import dataclass
from typing import Protocol
from uuid import UUID

from chat_service.programs.coach.engine import CoachEngine
from chat_service.programs.coach.session_state import ProgramSession
from chat_service.programs.coach.turn import MessageAnalysis, ProgramReply, TurnResult
from chat_service.turns.model import Message, Turn, TurnStore
from chat_service.turns.protocol import run_turn

ProgramTurnStore = TurnStore[ProgramSession, MessageAnalysis, TurnResult, ProgramReply]


@dataclass(frozen=True)
class AnsweredMessage:
    """A completed turn as its sender gets it; `turn_id` and `sequence` are None while it is queued."""

    session_id: UUID
    reply: ProgramReply
    turn_id: UUID | None
    sequence: int | None
    queued: bool = False


class TurnRunner(Protocol):
    def __call__(self, engine: CoachEngine, message: Message) -> AnsweredMessage: ...


class DirectTurnRunner:
    """Runs turns in one store, without a fallback."""

    def __init__(self, turns: ProgramTurnStore) -> None:
        self._turns = turns

    def __call__(self, engine: CoachEngine, message: Message) -> AnsweredMessage:
        return answered_message(run_turn(self._turns, engine, message))


def answered_message(turn: Turn[ProgramReply]) -> AnsweredMessage:
    """The same for the first request and every repetition."""
    assert turn.reply is not None, "a completed turn has its reply"
    return AnsweredMessage(turn.conversation_id, turn.reply, turn.id, turn.sequence)
