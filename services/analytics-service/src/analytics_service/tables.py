"""All PostgreSQL tables of analytics-service."""

from datetime import date
from uuid import UUID

from sqlalchemy import Index
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from cogniflow_kit.sql.tables import Moment, add_shared_tables, service_metadata

metadata = service_metadata("analytics")


class Base(DeclarativeBase):
    metadata = metadata


class CourseDay(Base):
    """Counts of one event type in one course on one UTC day.

    Computed from the interaction log only, so that a day can be computed again
    as long as the log has its events.
    """

    __tablename__ = "course_analytics"
    __table_args__ = (Index("ix_course_analytics_day", "day"),)

    course_id: Mapped[UUID] = mapped_column(primary_key=True)
    day: Mapped[date] = mapped_column(primary_key=True)
    type: Mapped[str] = mapped_column(primary_key=True)
    events: Mapped[int]
    learners: Mapped[int]


class LogPosition(Base):
    """How far a computation has read the log: every event with `stored_at` before `read_to`."""

    __tablename__ = "log_readings"

    name: Mapped[str] = mapped_column(primary_key=True)
    read_to: Mapped[Moment]


add_shared_tables(metadata)
