"""Queries on courses.

Hot reads are one statement whose JSON goes out unchanged: a course of 50
lessons costs seven times as much through the ORM. `schemas.py` describes the
JSON, and tests compare the two.
"""

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import Row, TextClause, select, text
from sqlalchemy.orm import Session

from cogniflow_kit.ids import utc_now
from cogniflow_kit.sql.json_query import json_time
from courses_service.tables import Course

_COURSE_FIELDS = f"""
    'id', c.id, 'slug', c.slug, 'title', c.title, 'description', c.description, 'language', c.language,
    'instructor_id', c.instructor_id, 'status', c.status, 'version', c.version,
    'created_at', {json_time("c.created_at")}, 'updated_at', {json_time("c.updated_at")}
"""

DETAIL = text(
    f"""
    SELECT json_build_object({_COURSE_FIELDS},
        'sections', (SELECT count(*) FROM sections s WHERE s.course_id = c.id),
        'lessons', (SELECT count(*) FROM lessons l WHERE l.course_id = c.id),
        'quizzes', (SELECT count(*) FROM quizzes q JOIN lessons l ON l.id = q.lesson_id
                    WHERE l.course_id = c.id)
    )::text
    FROM courses c WHERE c.id = :course_id
    """  # noqa: S608 -- built from constants
)

OUTLINE = text(
    """
    SELECT json_build_object('course_id', c.id, 'version', c.version, 'title', c.title, 'sections', (
        SELECT coalesce(json_agg(json_build_object('id', s.id, 'title', s.title, 'lessons', (
            SELECT coalesce(json_agg(json_build_object(
                'id', l.id, 'position', l.position, 'title', l.title, 'subsection', l.subsection,
                'quizzes', (SELECT count(*) FROM quizzes q WHERE q.lesson_id = l.id)
            ) ORDER BY l.position), '[]')
            FROM lessons l WHERE l.section_id = s.id
        )) ORDER BY s.position), '[]')
        FROM sections s WHERE s.course_id = c.id
    ))::text
    FROM courses c WHERE c.id = :course_id
    """
)

PAGE = text(
    f"""
    SELECT json_build_object(
        'items', coalesce(json_agg(json_build_object({_COURSE_FIELDS}) ORDER BY c.id), '[]'),
        'next_cursor', CAST(:next_cursor AS text)
    )::text
    FROM courses c WHERE c.id = ANY(CAST(:ids AS uuid[]))
    """  # noqa: S608 -- built from constants
)


class CourseRepository:
    def __init__(self, db: Session) -> None:
        self._db = db

    def detail(self, course_id: UUID) -> bytes:
        return self._json(DETAIL, course_id)

    def outline(self, course_id: UUID) -> bytes:
        return self._json(OUTLINE, course_id)

    def published(self, after: UUID | None, limit: int) -> Sequence[Row[UUID, int]]:
        """Ids and versions of one page, in order of id; `limit + 1` rows if there is a next page."""
        courses = select(Course.id, Course.version).where(Course.status == "published")
        if after is not None:
            courses = courses.where(Course.id > after)
        return self._db.execute(courses.order_by(Course.id).limit(limit + 1)).all()

    def page(self, ids: list[UUID], next_cursor: str | None) -> bytes:
        page: str = self._db.scalars(
            PAGE, {"ids": [str(id_) for id_ in ids], "next_cursor": next_cursor}
        ).one()
        return page.encode()

    def add(self, course: Course) -> None:
        self._db.add(course)
        self._db.flush()

    def lock(self, course_id: UUID) -> Course:
        """The current row, locked until the transaction ends: other edits of the course wait."""
        return self._db.scalars(
            select(Course)
            .where(Course.id == course_id)
            .with_for_update()
            .execution_options(populate_existing=True)
        ).one()

    def raise_version(self, course: Course) -> None:
        """Give the course its next version. Responses cached under the old version are not read again."""
        course.version += 1
        course.updated_at = utc_now()
        self._db.flush()

    def _json(self, query: TextClause, course_id: UUID) -> bytes:
        body: str = self._db.scalars(query, {"course_id": course_id}).one()
        return body.encode()
