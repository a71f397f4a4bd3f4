"""Somebody's way through a program. A week that is restarted gets another `run`; the earlier rows stay."""

from typing import Annotated
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, UniqueConstraint, func, text
from sqlalchemy.orm import Mapped, mapped_column

from chat_service.tables.base import Base, EmptyJson, Json, MaybeJson, MaybeMoment, UserId
from chat_service.tables.programs import Experiment, Program, ProgramVersion, Week
from cogniflow_kit.sql.tables import CreatedAt, Id, Moment

Run = Annotated[int, mapped_column(server_default="1")]


class ProgramSession(Base):
    """One way of one participant. `version` counts every change of its state and fences writers.

    `user_id` is an account, or the opaque id of an anonymous participant.
    `fsm_state` is the step or number of the open question. `start_key` makes
    a repeated start find this session again; `legacy_id` is the session's
    name in the system that it was taken over from.
    """

    __tablename__ = "sessions"
    __table_args__ = (
        UniqueConstraint("user_id", "start_key"),
        CheckConstraint("origin IN ('started', 'legacy')", name="origin"),
        Index(
            "uq_sessions_open", "user_id", "program_id", unique=True, postgresql_where=text("NOT completed")
        ),
        Index(
            "ix_sessions_transcript",
            "version_id",
            postgresql_where=text("completed AND transcript_removed_at IS NULL"),
        ),
        Index("ix_sessions_anonymous", "created_at", postgresql_where=text("anonymous")),
    )

    session_id: Mapped[Id]
    user_id: Mapped[UUID]
    program_id: Mapped[UUID] = mapped_column(ForeignKey(Program.program_id), index=True)
    version_id: Mapped[UUID] = mapped_column(ForeignKey(ProgramVersion.version_id), index=True)
    current_week_id: Mapped[UUID] = mapped_column(ForeignKey(Week.week_id), index=True)
    experiment_id: Mapped[UUID | None] = mapped_column(
        ForeignKey(Experiment.experiment_id, ondelete="SET NULL"), index=True
    )
    name: Mapped[str]
    locale: Mapped[str] = mapped_column(server_default="en")
    anonymous: Mapped[bool] = mapped_column(server_default="false")
    origin: Mapped[str] = mapped_column(server_default="started")
    legacy_id: Mapped[str | None] = mapped_column(index=True)
    start_key: Mapped[str | None]
    fsm_state: Mapped[str]
    version: Mapped[int] = mapped_column(server_default="1")
    created_at: Mapped[CreatedAt]
    last_activity: Mapped[Moment] = mapped_column(server_default=func.now())
    paused_at: Mapped[MaybeMoment]
    completed: Mapped[bool] = mapped_column(server_default="false")
    completion_time: Mapped[MaybeMoment]
    transcript_removed_at: Mapped[MaybeMoment]


OwnSession = Annotated[
    UUID, mapped_column(ForeignKey(ProgramSession.session_id, ondelete="CASCADE"), index=True)
]


class ProgramTurn(Base):
    """A turn of a program; the running one is the lease on its session.

    `answered_by` the program's own texts (`rules`) or a language `model`;
    `fallback` says why a model was not used. `queued`: it came by the spool.
    """

    __tablename__ = "turns"
    __table_args__ = (
        UniqueConstraint("session_id", "sequence"),
        UniqueConstraint("session_id", "client_message_id"),
        Index("uq_turns_running", "session_id", unique=True, postgresql_where=text("status = 'running'")),
        CheckConstraint("status IN ('running', 'completed', 'failed', 'abandoned')", name="status"),
        CheckConstraint("answered_by IN ('rules', 'model')", name="answered_by"),
    )

    turn_id: Mapped[Id]
    session_id: Mapped[UUID] = mapped_column(ForeignKey(ProgramSession.session_id, ondelete="CASCADE"))
    sequence: Mapped[int]
    client_message_id: Mapped[str]
    fingerprint: Mapped[str]
    status: Mapped[str]
    epoch: Mapped[int]
    lease_expires_at: Mapped[MaybeMoment]
    result: Mapped[MaybeJson]
    answered_by: Mapped[str] = mapped_column(server_default="rules")
    fallback: Mapped[str | None]
    queued: Mapped[bool] = mapped_column(server_default="false")
    created_at: Mapped[CreatedAt]
    completed_at: Mapped[MaybeMoment]


OwnTurn = Annotated[UUID, mapped_column(ForeignKey(ProgramTurn.turn_id, ondelete="CASCADE"), index=True)]


class UserProgress(Base):
    """`metadata`: choices of that week, such as selected_problem."""

    __tablename__ = "user_progress"
    __table_args__ = (UniqueConstraint("session_id", "week_id", "run"),)

    progress_id: Mapped[Id]
    session_id: Mapped[UUID] = mapped_column(ForeignKey(ProgramSession.session_id, ondelete="CASCADE"))
    user_id: Mapped[UUID]
    week_id: Mapped[UUID] = mapped_column(ForeignKey(Week.week_id), index=True)
    run: Mapped[Run]
    started_at: Mapped[Moment] = mapped_column(server_default=func.now())
    completed_at: Mapped[MaybeMoment]
    is_completed: Mapped[bool] = mapped_column(server_default="false")
    current_question_number: Mapped[int] = mapped_column(server_default="1")
    metadata_: Mapped[EmptyJson] = mapped_column("metadata")


class QuestionCompletion(Base):
    """`metadata`: `{"skipped": true}` for a question that was skipped."""

    __tablename__ = "question_completions"
    __table_args__ = (UniqueConstraint("session_id", "question_id", "run"),)

    completion_id: Mapped[Id]
    session_id: Mapped[UUID] = mapped_column(ForeignKey(ProgramSession.session_id, ondelete="CASCADE"))
    user_id: Mapped[UUID]
    question_id: Mapped[UUID]
    run: Mapped[Run]
    completed_at: Mapped[Moment] = mapped_column(server_default=func.now())
    iteration_count: Mapped[int]
    scenario_classification: Mapped[str | None]
    metadata_: Mapped[EmptyJson] = mapped_column("metadata")


class ConversationState(Base):
    """`conversation_data`: by question number, the answers and what the coach decided."""

    __tablename__ = "conversation_states"
    __table_args__ = (UniqueConstraint("session_id", "week_id", "run"),)

    state_id: Mapped[Id]
    session_id: Mapped[UUID] = mapped_column(ForeignKey(ProgramSession.session_id, ondelete="CASCADE"))
    user_id: Mapped[UUID]
    week_id: Mapped[UUID] = mapped_column(ForeignKey(Week.week_id), index=True)
    run: Mapped[Run]
    is_completed: Mapped[bool] = mapped_column(server_default="false")
    current_question_number: Mapped[int] = mapped_column(server_default="1")
    conversation_data: Mapped[Json]
    updated_at: Mapped[Moment] = mapped_column(server_default=func.now())


class SessionSummary(Base):
    """`session_version`: the state of the session that it sums up."""

    __tablename__ = "session_summaries"
    __table_args__ = (
        UniqueConstraint("session_id", "summary_type", "session_version"),
        CheckConstraint("summary_type IN ('partial', 'complete')", name="summary_type"),
    )

    summary_id: Mapped[Id]
    session_id: Mapped[UUID] = mapped_column(ForeignKey(ProgramSession.session_id, ondelete="CASCADE"))
    user_id: Mapped[UserId]
    summary_type: Mapped[str]
    summary_data: Mapped[Json]
    session_version: Mapped[int]
    generated_at: Mapped[Moment] = mapped_column(server_default=func.now())
