"""What the tutor reads: lessons of courses-service, cut into passages."""

from typing import Any
from uuid import UUID

from pgvector.sqlalchemy import Vector
from sqlalchemy import Computed, ForeignKey, UniqueConstraint, func
from sqlalchemy.dialects.postgresql import TSVECTOR
from sqlalchemy.orm import Mapped, mapped_column

from chat_service.tables.base import Base
from cogniflow_kit.sql.tables import Id, Moment

EMBEDDING_DIMENSIONS = 256


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
