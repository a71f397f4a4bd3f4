"""Every PostgreSQL table of analytics-service."""

from datetime import date
from uuid import UUID

from sqlalchemy import Index
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from cogniflow_kit.sql.idempotency import idempotency_table
from cogniflow_kit.sql.jobs_table import jobs_table
from cogniflow_kit.sql.outbox import outbox_table
from cogniflow_kit.sql.tables import Moment, service_metadata

metadata = service_metadata("analytics")


class Base(DeclarativeBase):
    metadata = metadata


class CourseDay(Base):
    """What happened in a course on one UTC day, by type of event.

    Computed from the interaction log, and written by nothing else: any day can
    be computed again as long as the log has it.
    """

    __tablename__ = "course_analytics"
    __table_args__ = (Index("ix_course_analytics_day", "day"),)

    course_id: Mapped[UUID] = mapped_column(primary_key=True)
    day: Mapped[date] = mapped_column(primary_key=True)
    type: Mapped[str] = mapped_column(primary_key=True)
    events: Mapped[int]
    learners: Mapped[int]


class LogReading(Base):
    """How far into the log a computation has read, by the time events were stored."""

    __tablename__ = "log_readings"

    name: Mapped[str] = mapped_column(primary_key=True)
    read_to: Mapped[Moment]


idempotency_table(metadata)
outbox_table(metadata)
jobs_table(metadata)
