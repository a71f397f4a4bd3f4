"""Queries on enrollments and progress."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import select, text
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from courses_service.datetimes import moment
from courses_service.tables import Enrollment, UserProgress

_PROGRESS = text(
    f"""
    SELECT json_build_object(
        'course_id', e.course_id, 'enrolled_at', {moment("e.enrolled_at")},
        'completed_lessons', p.completed, 'total_lessons', p.total,
        'percent', coalesce(trunc(100.0 * p.completed / nullif(p.total, 0), 1), 0),
        'lessons', p.lessons
    )::text
    FROM enrollments e CROSS JOIN LATERAL (
        SELECT count(*) AS total, count(done.lesson_id) AS completed, coalesce(json_agg(json_build_object(
            'lesson_id', l.id, 'title', l.title, 'completed_at', {moment("done.completed_at")}
        ) ORDER BY l.position), '[]') AS lessons
        FROM lessons l
        LEFT JOIN user_progress done ON done.lesson_id = l.id AND done.user_id = e.user_id
        WHERE l.course_id = e.course_id
    ) p
    WHERE e.user_id = :user_id AND e.course_id = :course_id
    """  # noqa: S608 -- put together from constants
)


class EnrollmentRepository:
    def __init__(self, session: Session) -> None:
        self._session = session

    def enroll(self, user_id: UUID, course_id: UUID) -> tuple[datetime, bool]:
        """When the user enrolled, and whether that was just now."""
        added = self._session.scalars(
            insert(Enrollment)
            .values(user_id=user_id, course_id=course_id)
            .on_conflict_do_nothing()
            .returning(Enrollment.enrolled_at)
        ).first()
        if added is not None:
            return added, True
        before = select(Enrollment.enrolled_at).filter_by(user_id=user_id, course_id=course_id)
        return self._session.scalars(before).one(), False

    def complete(self, user_id: UUID, course_id: UUID, lesson_id: UUID) -> tuple[datetime, bool]:
        """When the user first completed the lesson, and whether that was just now."""
        added = self._session.scalars(
            insert(UserProgress)
            .values(user_id=user_id, course_id=course_id, lesson_id=lesson_id)
            .on_conflict_do_nothing()
            .returning(UserProgress.completed_at)
        ).first()
        if added is not None:
            return added, True
        before = select(UserProgress.completed_at).filter_by(user_id=user_id, lesson_id=lesson_id)
        return self._session.scalars(before).one(), False

    def progress(self, user_id: UUID, course_id: UUID) -> bytes | None:
        """As JSON, or None for who isn't enrolled."""
        found: str | None = self._session.scalars(
            _PROGRESS, {"user_id": user_id, "course_id": course_id}
        ).first()
        return found.encode() if found is not None else None
