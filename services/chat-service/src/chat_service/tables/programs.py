"""Programs as published: written once with their version, never changed; labels say which one is begun."""

from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, UniqueConstraint, func, text
from sqlalchemy.orm import Mapped, mapped_column

from chat_service.tables.base import Base, EmptyJson, MaybeJson, MaybeMoment, Texts
from cogniflow_kit.sql.tables import CreatedAt, Id, Moment


class Program(Base):
    """A program under its lasting name."""

    __tablename__ = "programs"

    program_id: Mapped[Id]
    slug: Mapped[str] = mapped_column(unique=True)
    created_at: Mapped[CreatedAt]


class ProgramVersion(Base):
    """`checksum`: SHA-256 of the source, so that a change without a new version is noticed.

    `published_by` is null for what the installation brought with it.
    """

    __tablename__ = "program_versions"
    __table_args__ = (UniqueConstraint("program_id", "version"),)

    version_id: Mapped[Id]
    program_id: Mapped[UUID] = mapped_column(ForeignKey(Program.program_id, ondelete="CASCADE"))
    version: Mapped[int]
    title: Mapped[str]
    description: Mapped[str]
    coach: Mapped[str] = mapped_column(server_default="NOVA")
    locale: Mapped[str] = mapped_column(server_default="en")
    anonymous: Mapped[bool] = mapped_column(server_default="false")
    retention: Mapped[EmptyJson]
    checksum: Mapped[str]
    published_by: Mapped[UUID | None]
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
    """`keeps`: the key under which the answer is kept in the week's metadata, such as selected_problem."""

    __tablename__ = "questions"
    __table_args__ = (
        UniqueConstraint("week_id", "question_number"),
        CheckConstraint("question_type IN ('open_ended', 'yes_no', 'multiple_choice')", name="question_type"),
        CheckConstraint("max_iterations BETWEEN 1 AND 3", name="max_iterations"),
    )

    question_id: Mapped[Id]
    week_id: Mapped[UUID] = mapped_column(ForeignKey(Week.week_id, ondelete="CASCADE"))
    question_number: Mapped[int]
    question_text: Mapped[str]
    question_type: Mapped[str]
    requires_followup: Mapped[bool]
    step: Mapped[str | None]
    skippable: Mapped[bool] = mapped_column(server_default="false")
    max_iterations: Mapped[int] = mapped_column(server_default="3")
    keeps: Mapped[str | None]
    choices: Mapped[Texts]


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
    conditions: Mapped[MaybeJson]
    examples: Mapped[Texts]
    next_question: Mapped[int | None]


class WeekContentBlock(Base):
    __tablename__ = "week_content_blocks"
    __table_args__ = (UniqueConstraint("week_id", "block_name"),)

    content_id: Mapped[Id]
    week_id: Mapped[UUID] = mapped_column(ForeignKey(Week.week_id, ondelete="CASCADE"))
    block_name: Mapped[str]
    content_text: Mapped[str]
    content_type: Mapped[str]


class ProgramLabel(Base):
    """A name that points at a version. Whoever begins a program begins its `production`."""

    __tablename__ = "program_labels"

    program_id: Mapped[UUID] = mapped_column(
        ForeignKey(Program.program_id, ondelete="CASCADE"), primary_key=True
    )
    label: Mapped[str] = mapped_column(primary_key=True)
    version_id: Mapped[UUID] = mapped_column(ForeignKey(ProgramVersion.version_id), index=True)
    moved_by: Mapped[UUID | None]
    moved_at: Mapped[Moment] = mapped_column(server_default=func.now())


class ProgramLabelMove(Base):
    """Every move of a label, for rollback and audit. `to_version_id` is null where it was removed."""

    __tablename__ = "program_label_moves"
    __table_args__ = (Index("ix_program_label_moves_label", "program_id", "label", "move_id"),)

    move_id: Mapped[Id]
    program_id: Mapped[UUID] = mapped_column(ForeignKey(Program.program_id, ondelete="CASCADE"))
    label: Mapped[str]
    from_version_id: Mapped[UUID | None] = mapped_column(ForeignKey(ProgramVersion.version_id), index=True)
    to_version_id: Mapped[UUID | None] = mapped_column(ForeignKey(ProgramVersion.version_id), index=True)
    moved_by: Mapped[UUID | None]
    moved_at: Mapped[Moment] = mapped_column(server_default=func.now())


class Experiment(Base):
    """Splits a label between versions. At most one runs for a label."""

    __tablename__ = "experiments"
    __table_args__ = (
        CheckConstraint("status IN ('running', 'stopped')", name="status"),
        Index(
            "uq_experiments_running",
            "program_id",
            "label",
            unique=True,
            postgresql_where=text("status = 'running'"),
        ),
    )

    experiment_id: Mapped[Id]
    program_id: Mapped[UUID] = mapped_column(ForeignKey(Program.program_id, ondelete="CASCADE"), index=True)
    label: Mapped[str]
    name: Mapped[str]
    status: Mapped[str] = mapped_column(server_default="running")
    created_by: Mapped[UUID]
    created_at: Mapped[CreatedAt]
    stopped_at: Mapped[MaybeMoment]


class ExperimentArm(Base):
    """One version and its share: `weight` out of the sum of all weights."""

    __tablename__ = "experiment_arms"
    __table_args__ = (CheckConstraint("weight > 0", name="weight"),)

    experiment_id: Mapped[UUID] = mapped_column(
        ForeignKey(Experiment.experiment_id, ondelete="CASCADE"), primary_key=True
    )
    version_id: Mapped[UUID] = mapped_column(
        ForeignKey(ProgramVersion.version_id), primary_key=True, index=True
    )
    weight: Mapped[int]


class ExperimentAssignment(Base):
    """The version that a user was assigned. It never changes."""

    __tablename__ = "experiment_assignments"

    experiment_id: Mapped[UUID] = mapped_column(
        ForeignKey(Experiment.experiment_id, ondelete="CASCADE"), primary_key=True
    )
    user_id: Mapped[UUID] = mapped_column(primary_key=True, index=True)
    version_id: Mapped[UUID] = mapped_column(ForeignKey(ProgramVersion.version_id), index=True)
    assigned_at: Mapped[Moment] = mapped_column(server_default=func.now())
