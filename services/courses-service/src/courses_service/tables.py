"""All PostgreSQL tables of courses-service."""

from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

from sqlalchemy import (
    CheckConstraint,
    DateTime,
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    Text,
    UniqueConstraint,
    func,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from cogniflow_kit.sql.tables import CreatedAt, Id, add_shared_tables, service_metadata

metadata = service_metadata("courses")

OptionalText = Annotated[str, mapped_column(Text, server_default="")]


class Base(DeclarativeBase):
    metadata = metadata


class Course(Base):
    """`version` is raised by every edit of the course or of a lesson in it. Cache keys contain it."""

    __tablename__ = "courses"
    __table_args__ = (
        CheckConstraint("status IN ('draft', 'published', 'archived')", name="status"),
        CheckConstraint("version >= 1", name="version"),
        Index("ix_courses_published", "id", postgresql_where=text("status = 'published'")),
    )

    id: Mapped[Id]
    slug: Mapped[str] = mapped_column(Text, unique=True)
    title: Mapped[str] = mapped_column(Text)
    description: Mapped[OptionalText]
    language: Mapped[str] = mapped_column(Text, server_default="en")
    instructor_id: Mapped[UUID] = mapped_column(index=True)
    status: Mapped[str] = mapped_column(Text, server_default="draft")
    version: Mapped[int] = mapped_column(server_default="1")
    created_at: Mapped[CreatedAt]
    updated_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), server_default=func.now())


class Section(Base):
    __tablename__ = "sections"
    __table_args__ = (
        UniqueConstraint("course_id", "position"),
        UniqueConstraint("id", "course_id"),
        CheckConstraint("position >= 1", name="position"),
    )

    id: Mapped[Id]
    course_id: Mapped[UUID] = mapped_column(ForeignKey(Course.id, ondelete="CASCADE"))
    position: Mapped[int]
    title: Mapped[str] = mapped_column(Text)


class Lesson(Base):
    """`position` counts through the whole course. `html` is sanitized; `text` is its plain text."""

    __tablename__ = "lessons"
    __table_args__ = (
        ForeignKeyConstraint(
            ["section_id", "course_id"], [Section.id, Section.course_id], ondelete="CASCADE"
        ),
        UniqueConstraint("course_id", "position"),
        CheckConstraint("position >= 1", name="position"),
        Index(None, "section_id", "course_id"),
    )

    id: Mapped[Id]
    course_id: Mapped[UUID] = mapped_column(ForeignKey(Course.id, ondelete="CASCADE"))
    section_id: Mapped[UUID]
    position: Mapped[int]
    title: Mapped[str] = mapped_column(Text)
    subsection: Mapped[OptionalText]
    html: Mapped[OptionalText]
    text: Mapped[OptionalText]


class Enrollment(Base):
    __tablename__ = "enrollments"

    user_id: Mapped[UUID] = mapped_column(primary_key=True)
    course_id: Mapped[UUID] = mapped_column(
        ForeignKey(Course.id, ondelete="CASCADE"), primary_key=True, index=True
    )
    enrolled_at: Mapped[CreatedAt]


class UserProgress(Base):
    """One row per completed lesson. The foreign key to enrollments allows it for enrolled users only."""

    __tablename__ = "user_progress"
    __table_args__ = (
        ForeignKeyConstraint(
            ["user_id", "course_id"], [Enrollment.user_id, Enrollment.course_id], ondelete="CASCADE"
        ),
        Index(None, "user_id", "course_id"),
    )

    user_id: Mapped[UUID] = mapped_column(primary_key=True)
    lesson_id: Mapped[UUID] = mapped_column(
        ForeignKey(Lesson.id, ondelete="CASCADE"), primary_key=True, index=True
    )
    course_id: Mapped[UUID]
    completed_at: Mapped[CreatedAt]


class Quiz(Base):
    __tablename__ = "quizzes"
    __table_args__ = (
        UniqueConstraint("lesson_id", "position"),
        CheckConstraint("position >= 1", name="position"),
    )

    id: Mapped[Id]
    lesson_id: Mapped[UUID] = mapped_column(ForeignKey(Lesson.id, ondelete="CASCADE"))
    position: Mapped[int]
    title: Mapped[str] = mapped_column(Text)


class Question(Base):
    """`prompt` and `explanation` are sanitized HTML; the explanation is shown after an attempt."""

    __tablename__ = "questions"
    __table_args__ = (
        UniqueConstraint("quiz_id", "position"),
        CheckConstraint("position >= 1", name="position"),
        CheckConstraint("kind IN ('single', 'multiple')", name="kind"),
    )

    id: Mapped[Id]
    quiz_id: Mapped[UUID] = mapped_column(ForeignKey(Quiz.id, ondelete="CASCADE"))
    position: Mapped[int]
    kind: Mapped[str] = mapped_column(Text)
    prompt: Mapped[str] = mapped_column(Text)
    explanation: Mapped[OptionalText]


class Choice(Base):
    """`html` and `feedback` are sanitized HTML; learners who chose this choice see the feedback."""

    __tablename__ = "choices"
    __table_args__ = (
        UniqueConstraint("question_id", "position"),
        CheckConstraint("position >= 1", name="position"),
    )

    id: Mapped[Id]
    question_id: Mapped[UUID] = mapped_column(ForeignKey(Question.id, ondelete="CASCADE"))
    position: Mapped[int]
    html: Mapped[str] = mapped_column(Text)
    is_correct: Mapped[bool]
    feedback: Mapped[OptionalText]


class ImportReport(Base):
    """The report of one import. An instructor can import the same archive once."""

    __tablename__ = "import_reports"
    __table_args__ = (UniqueConstraint("instructor_id", "archive_sha256"),)

    id: Mapped[Id]
    course_id: Mapped[UUID] = mapped_column(ForeignKey(Course.id, ondelete="CASCADE"), unique=True)
    instructor_id: Mapped[UUID]
    archive_sha256: Mapped[str] = mapped_column(Text)
    source: Mapped[OptionalText]
    counts: Mapped[dict[str, int]] = mapped_column(JSONB)
    not_taken_over: Mapped[list[dict[str, Any]]] = mapped_column(JSONB)
    imported_at: Mapped[CreatedAt]


add_shared_tables(metadata)
