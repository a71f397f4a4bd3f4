"""The kept daily counts in PostgreSQL."""

from collections.abc import Sequence
from datetime import date, datetime
from uuid import UUID

from sqlalchemy import delete, func, insert, select
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.orm import Session

from analytics_service.activity.log import DayRow
from analytics_service.activity.schemas import DailyCount
from analytics_service.tables import CourseDay, LogReading

_READING = "course_analytics"


class DailyCounts:
    def __init__(self, session: Session) -> None:
        self._session = session

    def of_course(self, course_id: UUID, first: date, last: date) -> list[DailyCount]:
        """Both days inclusive, in order of day and type."""
        rows = self._session.execute(
            select(CourseDay.day, CourseDay.type, CourseDay.events, CourseDay.learners)
            .where(CourseDay.course_id == course_id, CourseDay.day.between(first, last))
            .order_by(CourseDay.day, CourseDay.type)
        )
        return [DailyCount.model_validate(row) for row in rows]

    def claim(self, day: date) -> None:
        """Hold off other computations of this day until the transaction ends."""
        number = day.toordinal()
        self._session.execute(select(func.pg_advisory_xact_lock(func.hashtext("course_analytics"), number)))

    def replace(self, day: date, rows: Sequence[DayRow]) -> None:
        self._session.execute(delete(CourseDay).where(CourseDay.day == day))
        if rows:
            self._session.execute(insert(CourseDay), [{"day": day, **vars(row)} for row in rows])

    def read_to(self) -> datetime | None:
        return self._session.scalar(select(LogReading.read_to).where(LogReading.name == _READING))

    def set_read_to(self, moment: datetime) -> None:
        """Move the mark on; it never goes back."""
        new = upsert(LogReading).values(name=_READING, read_to=moment)
        later = func.greatest(LogReading.read_to, new.excluded.read_to)
        self._session.execute(
            new.on_conflict_do_update(index_elements=[LogReading.name], set_={"read_to": later})
        )
