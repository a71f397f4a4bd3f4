"""A session as it is with the turns that wait for PostgreSQL."""

from typing import Any

from chat_service.programs.coach.session_state import ProgramSession
from chat_service.programs.sessions.durable.spooled_turn import SpooledTurn
from chat_service.programs.sessions.schemas import MessageOut
from chat_service.programs.sessions.store import SessionHistory


def with_waiting(found: SessionHistory, waiting: list[SpooledTurn]) -> SessionHistory:
    """The session with its spooled turns; those that are stored by now are there already."""
    stored = found.program_session.state.version if found.stored else 0
    waiting = [turn for turn in waiting if turn.snapshot.version > stored]
    if not waiting:
        return found
    messages, first = found.messages, waiting[0].base
    if found.last_turn is not None:
        first = found.last_turn.sequence + 1
        if found.last_turn.client_message_id == waiting[0].message.client_message_id:
            # PostgreSQL has the words already, and not yet the answer.
            first -= 1
            messages = [message for message in messages if message.turn_sequence != first]
    said = [message for number, turn in enumerate(waiting, first) for message in _said(turn, number)]
    program_session = ProgramSession(waiting[-1].snapshot, found.program_session.program)
    return SessionHistory(program_session, [*messages, *said], found.last_turn, found.stored)


def _said(turn: SpooledTurn, sequence: int) -> list[MessageOut]:
    """What was said in a turn that waits; `sequence` is the one it will most likely get."""
    common: dict[str, Any] = {
        "run": turn.run,
        "week": turn.week,
        "turn_sequence": sequence,
        "queued": True,
    }
    said = MessageOut(
        sender="user",
        message_text=turn.message.text,
        message_type=turn.message.message_type,
        recording_ref=turn.message.recording_ref,
        question_number=turn.question,
        created_at=turn.message.said_at,
        **common,
    )
    answer = MessageOut(
        sender="nova",
        message_text=turn.step.response,
        message_type="text",
        recording_ref=None,
        question_number=turn.question,
        created_at=turn.answered_at,
        **common,
    )
    asked = turn.reply.question if turn.asks else None
    question = (
        [
            answer.model_copy(
                update={"message_text": asked.text, "question_number": asked.number, "week": asked.week}
            )
        ]
        if asked
        else []
    )
    return [said, *([answer] if turn.step.response else []), *question]
