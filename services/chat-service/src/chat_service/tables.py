"""Every table of chat-service in PostgreSQL.

Guided programmes, safety and the tutor's index of lessons are here; the
tutor's conversations are documents in MongoDB. Names of tables and columns
are those of the systems that CogniFlow replaces.
"""

from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

from pgvector.sqlalchemy import Vector
from sqlalchemy import (
    CheckConstraint,
    Computed,
    DateTime,
    ForeignKey,
    Index,
    MetaData,
    UniqueConstraint,
    func,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB, TSVECTOR
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from cogniflow_kit.sql.idempotency import idempotency_table
from cogniflow_kit.sql.jobs_table import jobs_table
from cogniflow_kit.sql.outbox import outbox_table
from cogniflow_kit.sql.tables import CreatedAt, Id, Moment, service_metadata

metadata: MetaData = service_metadata("chat")

EMBEDDING_DIMENSIONS = 256

MaybeMoment = Annotated[datetime | None, mapped_column(DateTime(timezone=True))]
Json = Annotated[dict[str, Any], mapped_column(JSONB)]


class Base(DeclarativeBase):
    metadata = metadata


# Programmes as published: written once with their version, never changed.


class Program(Base):
    """A programme under its lasting name. New participants begin its newest version."""

    __tablename__ = "programs"

    program_id: Mapped[Id]
    slug: Mapped[str] = mapped_column(unique=True)
    created_at: Mapped[CreatedAt]


class ProgramVersion(Base):
    """`checksum`: SHA-256 of the content, so that a change without a new version is noticed."""

    __tablename__ = "program_versions"
    __table_args__ = (UniqueConstraint("program_id", "version"),)

    version_id: Mapped[Id]
    program_id: Mapped[UUID] = mapped_column(ForeignKey(Program.program_id, ondelete="CASCADE"))
    version: Mapped[int]
    title: Mapped[str]
    description: Mapped[str]
    checksum: Mapped[str]
    published_at: Mapped[CreatedAt]


class Week(Base):
    __tablename__ = "weeks"
    __table_args__ = (UniqueConstraint("version_id", "week_number"),)

    week_id: Mapped[Id]
    version_id: Mapped[UUID] = mapped_column(ForeignKey(ProgramVersion.version_id, ondelete="CASCADE"))
    week_number: Mapped[int]
    name: Mapped[str]
    title: Mapped[str]
    description: Mapped[str]
    video_content: Mapped[str]
    exercise_content: Mapped[str]
    is_active: Mapped[bool] = mapped_column(server_default="true")


class Question(Base):
    __tablename__ = "questions"
    __table_args__ = (
        UniqueConstraint("week_id", "question_number"),
        CheckConstraint("question_type IN ('open_ended', 'yes_no', 'multiple_choice')", name="question_type"),
    )

    question_id: Mapped[Id]
    week_id: Mapped[UUID] = mapped_column(ForeignKey(Week.week_id, ondelete="CASCADE"))
    question_number: Mapped[int]
    question_text: Mapped[str]
    question_type: Mapped[str]
    requires_followup: Mapped[bool]


class SystemPrompt(Base):
    """`prompt_text` instructs a language model; `response_text` is what the coach says without one."""

    __tablename__ = "system_prompts"
    __table_args__ = (UniqueConstraint("question_id", "prompt_type"),)

    prompt_id: Mapped[Id]
    question_id: Mapped[UUID] = mapped_column(ForeignKey(Question.question_id, ondelete="CASCADE"))
    prompt_type: Mapped[str]
    scenario_name: Mapped[str | None]
    prompt_text: Mapped[str]
    response_text: Mapped[str]
    conditions: Mapped[dict[str, Any] | None] = mapped_column(JSONB(none_as_null=True))


class WeekContentBlock(Base):
    __tablename__ = "week_content_blocks"
    __table_args__ = (UniqueConstraint("week_id", "block_name"),)

    content_id: Mapped[Id]
    week_id: Mapped[UUID] = mapped_column(ForeignKey(Week.week_id, ondelete="CASCADE"))
    block_name: Mapped[str]
    content_text: Mapped[str]
    content_type: Mapped[str]


# Somebody's way through a programme.


class ProgramSession(Base):
    """One run of one person. `version` counts every change of its state and fences writers."""

    __tablename__ = "sessions"
    __table_args__ = (
        Index(
            "uq_sessions_open",
            "user_id",
            "program_id",
            unique=True,
            postgresql_where=text("NOT completed"),
        ),
    )

    session_id: Mapped[Id]
    user_id: Mapped[UUID]
    program_id: Mapped[UUID] = mapped_column(ForeignKey(Program.program_id), index=True)
    version_id: Mapped[UUID] = mapped_column(ForeignKey(ProgramVersion.version_id), index=True)
    current_week_id: Mapped[UUID] = mapped_column(ForeignKey(Week.week_id), index=True)
    name: Mapped[str]
    version: Mapped[int] = mapped_column(server_default="1")
    created_at: Mapped[CreatedAt]
    last_activity: Mapped[Moment] = mapped_column(server_default=func.now())
    completed: Mapped[bool] = mapped_column(server_default="false")
    completion_time: Mapped[MaybeMoment]


OwnSession = Annotated[
    UUID, mapped_column(ForeignKey(ProgramSession.session_id, ondelete="CASCADE"), index=True)
]


class ProgramTurn(Base):
    """A turn of a programme; the running one is the lease on its session."""

    __tablename__ = "turns"
    __table_args__ = (
        UniqueConstraint("session_id", "sequence"),
        UniqueConstraint("session_id", "client_message_id"),
        Index("uq_turns_running", "session_id", unique=True, postgresql_where=text("status = 'running'")),
        Index("ix_turns_lease", "lease_expires_at", postgresql_where=text("status = 'running'")),
        CheckConstraint("status IN ('running', 'completed', 'failed', 'abandoned')", name="status"),
    )

    turn_id: Mapped[Id]
    session_id: Mapped[UUID] = mapped_column(ForeignKey(ProgramSession.session_id, ondelete="CASCADE"))
    sequence: Mapped[int]
    client_message_id: Mapped[str]
    fingerprint: Mapped[str]
    status: Mapped[str]
    epoch: Mapped[int]
    lease_expires_at: Mapped[MaybeMoment]
    result: Mapped[dict[str, Any] | None] = mapped_column(JSONB(none_as_null=True))
    created_at: Mapped[CreatedAt]
    completed_at: Mapped[MaybeMoment]


OwnTurn = Annotated[UUID, mapped_column(ForeignKey(ProgramTurn.turn_id, ondelete="CASCADE"), index=True)]


class UserProgress(Base):
    """`metadata`: choices of that week, such as selected_problem."""

    __tablename__ = "user_progress"
    __table_args__ = (UniqueConstraint("session_id", "week_id"),)

    progress_id: Mapped[Id]
    session_id: Mapped[UUID] = mapped_column(ForeignKey(ProgramSession.session_id, ondelete="CASCADE"))
    user_id: Mapped[UUID] = mapped_column(index=True)
    week_id: Mapped[UUID] = mapped_column(ForeignKey(Week.week_id), index=True)
    started_at: Mapped[Moment] = mapped_column(server_default=func.now())
    completed_at: Mapped[MaybeMoment]
    is_completed: Mapped[bool] = mapped_column(server_default="false")
    current_question_number: Mapped[int] = mapped_column(server_default="1")
    metadata_: Mapped[dict[str, Any]] = mapped_column("metadata", JSONB, server_default="{}")


class QuestionCompletion(Base):
    __tablename__ = "question_completions"
    __table_args__ = (UniqueConstraint("session_id", "question_id"),)

    completion_id: Mapped[Id]
    session_id: Mapped[UUID] = mapped_column(ForeignKey(ProgramSession.session_id, ondelete="CASCADE"))
    user_id: Mapped[UUID] = mapped_column(index=True)
    question_id: Mapped[UUID] = mapped_column(ForeignKey(Question.question_id), index=True)
    completed_at: Mapped[Moment] = mapped_column(server_default=func.now())
    iteration_count: Mapped[int]
    scenario_classification: Mapped[str | None]
    metadata_: Mapped[dict[str, Any]] = mapped_column("metadata", JSONB, server_default="{}")


class ConversationState(Base):
    """`conversation_data`: by question number, what was said and decided; see `programs/state.py`."""

    __tablename__ = "conversation_states"
    __table_args__ = (UniqueConstraint("session_id", "week_id"),)

    state_id: Mapped[Id]
    session_id: Mapped[UUID] = mapped_column(ForeignKey(ProgramSession.session_id, ondelete="CASCADE"))
    user_id: Mapped[UUID] = mapped_column(index=True)
    week_id: Mapped[UUID] = mapped_column(ForeignKey(Week.week_id), index=True)
    current_question_number: Mapped[int] = mapped_column(server_default="1")
    conversation_data: Mapped[Json]
    updated_at: Mapped[Moment] = mapped_column(server_default=func.now())


class ConversationMessage(Base):
    """Everything that was said. Nothing refers to a row here, so that the table can be cut by month.

    `position` orders the messages of one turn; turn 0 is the coach's opening.
    """

    __tablename__ = "conversation_messages"
    __table_args__ = (
        UniqueConstraint("session_id", "turn_sequence", "position"),
        CheckConstraint("sender IN ('user', 'nova')", name="sender"),
        CheckConstraint("message_type IN ('text', 'voice')", name="message_type"),
    )

    message_id: Mapped[Id]
    session_id: Mapped[UUID] = mapped_column(ForeignKey(ProgramSession.session_id, ondelete="CASCADE"))
    user_id: Mapped[UUID] = mapped_column(index=True)
    week_id: Mapped[UUID] = mapped_column(ForeignKey(Week.week_id), index=True)
    question_id: Mapped[UUID | None] = mapped_column(ForeignKey(Question.question_id), index=True)
    turn_sequence: Mapped[int]
    position: Mapped[int]
    sender: Mapped[str]
    message_text: Mapped[str]
    message_type: Mapped[str] = mapped_column(server_default="text")
    prompt_used_id: Mapped[UUID | None] = mapped_column(ForeignKey(SystemPrompt.prompt_id), index=True)
    scenario_classification: Mapped[str | None]
    iteration_number: Mapped[int | None]
    created_at: Mapped[CreatedAt]


class UserAnswer(Base):
    __tablename__ = "user_answers"

    answer_id: Mapped[Id]
    session_id: Mapped[OwnSession]
    user_id: Mapped[UUID] = mapped_column(index=True)
    question_id: Mapped[UUID] = mapped_column(ForeignKey(Question.question_id), index=True)
    turn_id: Mapped[OwnTurn]
    answer_text: Mapped[str]
    iteration_number: Mapped[int]
    is_complete: Mapped[bool]
    created_at: Mapped[CreatedAt]


class NovaResponse(Base):
    __tablename__ = "nova_responses"

    response_id: Mapped[Id]
    session_id: Mapped[OwnSession]
    user_id: Mapped[UUID] = mapped_column(index=True)
    question_id: Mapped[UUID] = mapped_column(ForeignKey(Question.question_id), index=True)
    turn_id: Mapped[OwnTurn]
    response_text: Mapped[str]
    prompt_used_id: Mapped[UUID | None] = mapped_column(ForeignKey(SystemPrompt.prompt_id), index=True)
    scenario_classification: Mapped[str | None]
    iteration_number: Mapped[int]
    created_at: Mapped[CreatedAt]


class ValidationLog(Base):
    """`user_responses` says how much was checked, in counts; the words are in `user_answers`."""

    __tablename__ = "validation_logs"
    __table_args__ = (
        CheckConstraint("validation_result IN ('complete', 'incomplete')", name="validation_result"),
    )

    validation_id: Mapped[Id]
    session_id: Mapped[OwnSession]
    user_id: Mapped[UUID] = mapped_column(index=True)
    question_id: Mapped[UUID] = mapped_column(ForeignKey(Question.question_id), index=True)
    turn_id: Mapped[OwnTurn]
    validation_result: Mapped[str]
    missing_items: Mapped[list[str]] = mapped_column(JSONB)
    user_responses: Mapped[str]
    created_at: Mapped[CreatedAt]


class RiskDetection(Base):
    """What the safety check found in a message of a programme; never a word of it."""

    __tablename__ = "risk_detections"
    __table_args__ = (CheckConstraint("severity IN ('concern', 'high', 'imminent')", name="severity"),)

    detection_id: Mapped[Id]
    session_id: Mapped[OwnSession]
    user_id: Mapped[UUID] = mapped_column(index=True)
    turn_id: Mapped[OwnTurn]
    category: Mapped[str]
    severity: Mapped[str]
    resources_shown: Mapped[bool] = mapped_column(server_default="true")
    detected_at: Mapped[Moment] = mapped_column(server_default=func.now(), index=True)


# What the tutor reads: lessons of courses-service, cut into passages.


class CourseIndex(Base):
    """The version of a course whose lessons are in `lesson_chunks`."""

    __tablename__ = "course_indexes"

    course_id: Mapped[UUID] = mapped_column(primary_key=True)
    version: Mapped[int]
    title: Mapped[str]
    chunks: Mapped[int]
    indexed_at: Mapped[Moment] = mapped_column(server_default=func.now())


class LessonChunk(Base):
    """A passage of a lesson. Searches stay within one course, so its index is on `course_id` alone.

    An approximate index over the vectors would be slower here: a course has
    hundreds of passages, not millions, and the exact scan misses none.
    """

    __tablename__ = "lesson_chunks"
    __table_args__ = (UniqueConstraint("course_id", "number"),)

    chunk_id: Mapped[Id]
    course_id: Mapped[UUID] = mapped_column(ForeignKey(CourseIndex.course_id, ondelete="CASCADE"))
    number: Mapped[int]
    lesson_id: Mapped[UUID]
    lesson_title: Mapped[str]
    passage: Mapped[str]
    embedding: Mapped[Any] = mapped_column(Vector(EMBEDDING_DIMENSIONS))
    search: Mapped[Any] = mapped_column(
        TSVECTOR, Computed("to_tsvector('english', lesson_title || ' ' || passage)", persisted=True)
    )


idempotency_table(metadata)
outbox_table(metadata)
jobs_table(metadata)
