"""Queries on enrollments and progress."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import func, select, text
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from cogniflow_kit.sql.prepared import json_time
from courses_service.tables import Enrollment, UserProgress

_PROGRESS = text(
    f"""
    SELECT json_build_object(
        'course_id', e.course_id, 'enrolled_at', {json_time("e.enrolled_at")},
        'completed_lessons', p.completed, 'total_lessons', p.total,
        'percent', coalesce(trunc(100.0 * p.completed / nullif(p.total, 0), 1), 0),
        'lessons', p.lessons
    )::text
    FROM enrollments e CROSS JOIN LATERAL (
        SELECT count(*) AS total, count(done.lesson_id) AS completed, coalesce(json_agg(json_build_object(
            'lesson_id', l.id, 'title', l.title, 'completed_at', {json_time("done.completed_at")}
        ) ORDER BY l.position), '[]') AS lessons
        FROM lessons l
        LEFT JOIN user_progress done ON done.lesson_id = l.id AND done.user_id = e.user_id
        WHERE l.course_id = e.course_id
    ) p
    WHERE e.user_id = :user_id AND e.course_id = :course_id
    """  # noqa: S608 -- built from constants
)


class EnrollmentRepository:
    def __init__(self, db: Session) -> None:
        self._db = db

    def enroll(self, user_id: UUID, course_id: UUID) -> tuple[datetime, bool]:
        """Insert the enrollment unless it exists. Returns its time, and whether it is new."""
        added = self._db.scalars(
            insert(Enrollment)
            .values(user_id=user_id, course_id=course_id)
            .on_conflict_do_nothing()
            .returning(Enrollment.enrolled_at)
        ).first()
        if added is not None:
            return added, True
        existing = select(Enrollment.enrolled_at).filter_by(user_id=user_id, course_id=course_id)
        return self._db.scalars(existing).one(), False

    def complete(self, user_id: UUID, course_id: UUID, lesson_id: UUID) -> tuple[datetime, bool]:
        """Insert the completion unless it exists. Returns its time, and whether it is new."""
        added = self._db.scalars(
            insert(UserProgress)
            .values(user_id=user_id, course_id=course_id, lesson_id=lesson_id)
            .on_conflict_do_nothing()
            .returning(UserProgress.completed_at)
        ).first()
        if added is not None:
            return added, True
        existing = select(UserProgress.completed_at).filter_by(user_id=user_id, lesson_id=lesson_id)
        return self._db.scalars(existing).one(), False

    def progress(self, user_id: UUID, course_id: UUID) -> bytes | None:
        """The user's progress as JSON, or None if they are not enrolled."""
        progress: str | None = self._db.scalars(
            _PROGRESS, {"user_id": user_id, "course_id": course_id}
        ).first()
        return progress.encode() if progress is not None else None

    def activity_counts(self, user_id: UUID) -> tuple[int, int]:
        """The numbers of the user's enrollments and completed lessons."""
        courses = select(func.count()).where(Enrollment.user_id == user_id).scalar_subquery()
        lessons = select(func.count()).where(UserProgress.user_id == user_id).scalar_subquery()
        row = self._db.execute(select(courses, lessons)).one()
        return row[0], row[1]
