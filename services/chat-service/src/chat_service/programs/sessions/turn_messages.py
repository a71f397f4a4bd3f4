"""The messages of one turn: the participant's, the coach's response, and the next question."""

from dataclasses import asdict, dataclass
from datetime import datetime

from chat_service.programs.sessions.store import SessionMessage
from chat_service.turns.model import Message


@dataclass(frozen=True)
class QuestionPosition:
    """The question that a turn's message answers, or that the coach asks next."""

    week: int
    run: int
    question_number: int


def participant_message(
    message: Message, position: QuestionPosition, sequence: int, *, queued: bool = False
) -> SessionMessage:
    return SessionMessage(
        sender="user",
        message_text=message.text,
        message_type=message.message_type,
        recording_ref=message.recording_ref,
        **asdict(position),
        turn_sequence=sequence,
        created_at=message.said_at,
        queued=queued,
    )


def coach_message(
    text: str, position: QuestionPosition, sequence: int, created_at: datetime, *, queued: bool = False
) -> SessionMessage:
    return SessionMessage(
        sender="nova",
        message_text=text,
        message_type="text",
        recording_ref=None,
        **asdict(position),
        turn_sequence=sequence,
        created_at=created_at,
        queued=queued,
    )
