"""Queries of the internal routes."""

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import Row, select, text
from sqlalchemy.orm import Session

from courses_service.tables import Course

_TEXTS = text(
    """
    SELECT json_build_object('course_id', c.id, 'version', c.version, 'title', c.title, 'lessons', (
        SELECT coalesce(json_agg(json_build_object(
            'id', l.id, 'title', l.title, 'position', l.position, 'text', l.text
        ) ORDER BY l.position), '[]')
        FROM lessons l WHERE l.course_id = c.id
    ))::text
    FROM courses c WHERE c.id = :course_id
    """
)


class CourseTextRepository:
    def __init__(self, db: Session) -> None:
        self._db = db

    def versions(self, after: UUID | None, limit: int) -> Sequence[Row[UUID, int]]:
        """Ids and versions of one page of all courses; `limit + 1` rows if there is a next page."""
        courses = select(Course.id, Course.version).order_by(Course.id).limit(limit + 1)
        if after is not None:
            courses = courses.where(Course.id > after)
        return self._db.execute(courses).all()

    def texts(self, course_id: UUID) -> bytes | None:
        """The course with its lessons' texts as JSON, read in one statement and so of one version."""
        texts: str | None = self._db.scalars(_TEXTS, {"course_id": course_id}).first()
        return texts.encode() if texts is not None else None
