"""Messages of a session, and how they were understood.

Each turn writes these rows, so they have one index, by session, and one
foreign key. Columns such as `question_id` and `turn_id` refer to program
content, which is never deleted, and to the turn of the same transaction.
"""

from datetime import datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, DateTime, ForeignKey, Index, UniqueConstraint, func
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from chat_service.tables.base import Base, UserId
from chat_service.tables.sessions import OwnSession, ProgramSession, Run
from cogniflow_kit.sql.tables import CreatedAt, Id, Moment


class ConversationMessage(Base):
    """The messages of participants and coach, in monthly partitions.

    No foreign key points to it, so that a month can be detached.

    `position` orders the messages of one turn; turn 0 is the coach's opening.
    A voice message's `message_text` is its transcript, `recording_ref` says
    where its client keeps the recording.
    """

    __tablename__ = "conversation_messages"
    __table_args__ = (
        Index("ix_conversation_messages_order", "session_id", "turn_sequence", "position"),
        CheckConstraint("sender IN ('user', 'nova')", name="sender"),
        CheckConstraint("message_type IN ('text', 'voice')", name="message_type"),
        {"postgresql_partition_by": "RANGE (created_at)"},
    )

    message_id: Mapped[Id]
    created_at: Mapped[datetime] = mapped_column(
        DateTime(timezone=True), server_default=func.now(), primary_key=True
    )
    session_id: Mapped[UUID] = mapped_column(ForeignKey(ProgramSession.session_id, ondelete="CASCADE"))
    user_id: Mapped[UUID]
    week_id: Mapped[UUID]
    question_id: Mapped[UUID | None]
    run: Mapped[Run]
    turn_sequence: Mapped[int]
    position: Mapped[int]
    sender: Mapped[str]
    message_text: Mapped[str]
    message_type: Mapped[str] = mapped_column(server_default="text")
    recording_ref: Mapped[str | None]
    prompt_used_id: Mapped[UUID | None]
    scenario_classification: Mapped[str | None]
    classification_method: Mapped[str | None]
    classification_confidence: Mapped[float | None]
    iteration_number: Mapped[int | None]


class UserAnswer(Base):
    __tablename__ = "user_answers"

    answer_id: Mapped[Id]
    session_id: Mapped[OwnSession]
    user_id: Mapped[UUID]
    question_id: Mapped[UUID]
    turn_id: Mapped[UUID]
    run: Mapped[Run]
    answer_text: Mapped[str]
    iteration_number: Mapped[int]
    is_complete: Mapped[bool]
    created_at: Mapped[CreatedAt]


class NovaResponse(Base):
    """A coach reply to an answer. Its text is the coach message of the turn; older rows have a copy."""

    __tablename__ = "nova_responses"

    response_id: Mapped[Id]
    session_id: Mapped[OwnSession]
    user_id: Mapped[UUID]
    question_id: Mapped[UUID]
    turn_id: Mapped[UUID]
    run: Mapped[Run]
    response_text: Mapped[str | None]
    prompt_used_id: Mapped[UUID | None]
    scenario_classification: Mapped[str | None]
    iteration_number: Mapped[int]
    created_at: Mapped[CreatedAt]


class UserResponse(Base):
    """The answer of each step of an intake; null where the step was skipped."""

    __tablename__ = "user_responses"
    __table_args__ = (UniqueConstraint("session_id", "step"),)

    response_id: Mapped[Id]
    session_id: Mapped[UUID] = mapped_column(ForeignKey(ProgramSession.session_id, ondelete="CASCADE"))
    user_id: Mapped[UserId]
    step: Mapped[str]
    response: Mapped[str | None]
    attempt_count: Mapped[int] = mapped_column(server_default="0")
    created_at: Mapped[CreatedAt]
    updated_at: Mapped[Moment] = mapped_column(server_default=func.now())


class ValidationLog(Base):
    """`user_responses` says how much was checked, in counts; the words are in `user_answers`."""

    __tablename__ = "validation_logs"
    __table_args__ = (
        CheckConstraint("validation_result IN ('complete', 'incomplete')", name="validation_result"),
    )

    validation_id: Mapped[Id]
    session_id: Mapped[OwnSession]
    user_id: Mapped[UUID]
    question_id: Mapped[UUID]
    turn_id: Mapped[UUID]
    validation_result: Mapped[str]
    missing_items: Mapped[list[str]] = mapped_column(JSONB)
    user_responses: Mapped[str]
    created_at: Mapped[CreatedAt]


class IntentClassification(Base):
    """What the learner wanted with a message: to answer, skip, understand or pause. Holds no word of it."""

    __tablename__ = "intent_classifications"
    __table_args__ = (CheckConstraint("method IN ('distilbert', 'rule_based', 'hybrid')", name="method"),)

    classification_id: Mapped[Id]
    session_id: Mapped[OwnSession]
    user_id: Mapped[UUID]
    turn_id: Mapped[UUID]
    classified_intent: Mapped[str]
    confidence: Mapped[float | None]
    method: Mapped[str]
    fsm_state: Mapped[str | None]
    created_at: Mapped[CreatedAt]
