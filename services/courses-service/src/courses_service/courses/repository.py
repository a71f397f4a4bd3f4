"""Queries on courses."""

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import Row, TextClause, select
from sqlalchemy.orm import Session

from cogniflow_kit.ids import utc_now
from courses_service.courses import queries
from courses_service.tables import Course


class CourseRepository:
    def __init__(self, session: Session) -> None:
        self._session = session

    def detail(self, course_id: UUID) -> bytes:
        return self._json(queries.DETAIL, course_id)

    def outline(self, course_id: UUID) -> bytes:
        return self._json(queries.OUTLINE, course_id)

    def published(self, after: UUID | None, limit: int) -> Sequence[Row[UUID, int]]:
        """Ids and versions of a page, one more than `limit` when there is more."""
        courses = select(Course.id, Course.version).where(Course.status == "published")
        if after is not None:
            courses = courses.where(Course.id > after)
        return self._session.execute(courses.order_by(Course.id).limit(limit + 1)).all()

    def page(self, ids: list[UUID], next_cursor: str | None) -> bytes:
        found: str = self._session.scalars(
            queries.PAGE, {"ids": [str(id_) for id_ in ids], "next_cursor": next_cursor}
        ).one()
        return found.encode()

    def add(self, course: Course) -> None:
        self._session.add(course)
        self._session.flush()

    def locked(self, course_id: UUID) -> Course:
        """The course as it is now; other edits of it wait for this transaction."""
        return self._session.scalars(
            select(Course)
            .where(Course.id == course_id)
            .with_for_update()
            .execution_options(populate_existing=True)
        ).one()

    def bump(self, course: Course) -> None:
        """A new version: what was cached of the old one is never asked for again."""
        course.version += 1
        course.updated_at = utc_now()
        self._session.flush()

    def _json(self, query: TextClause, course_id: UUID) -> bytes:
        found: str = self._session.scalars(query, {"course_id": course_id}).one()
        return found.encode()
