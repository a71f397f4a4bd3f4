"""Queries on courses.

Hot reads are one statement whose JSON goes out unchanged: a course of 50
lessons costs seven times as much through the ORM. `schemas.py` describes the
JSON, and tests compare the two.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import Row, TextClause, select, text
from sqlalchemy.orm import Session

from cogniflow_kit.ids import utc_now
from cogniflow_kit.sql.database import Database
from cogniflow_kit.sql.prepared import json_time
from courses_service.courses.course_copies import CourseCopies, CourseState, Part
from courses_service.tables import Course

_COURSE_FIELDS = f"""
    'id', c.id, 'slug', c.slug, 'title', c.title, 'description', c.description, 'language', c.language,
    'instructor_id', c.instructor_id, 'status', c.status, 'version', c.version,
    'created_at', {json_time("c.created_at")}, 'updated_at', {json_time("c.updated_at")}
"""

_DETAIL = f"""json_build_object({_COURSE_FIELDS},
        'sections', (SELECT count(*) FROM sections s WHERE s.course_id = c.id),
        'lessons', (SELECT count(*) FROM lessons l WHERE l.course_id = c.id),
        'quizzes', (SELECT count(*) FROM quizzes q JOIN lessons l ON l.id = q.lesson_id
                    WHERE l.course_id = c.id)
    )::text
"""  # noqa: S608 -- built from constants

_OUTLINE = """
    json_build_object('course_id', c.id, 'version', c.version, 'title', c.title, 'sections', (
        SELECT coalesce(json_agg(json_build_object('id', s.id, 'title', s.title, 'lessons', (
            SELECT coalesce(json_agg(json_build_object(
                'id', l.id, 'position', l.position, 'title', l.title, 'subsection', l.subsection,
                'quizzes', (SELECT count(*) FROM quizzes q WHERE q.lesson_id = l.id)
            ) ORDER BY l.position), '[]')
            FROM lessons l WHERE l.section_id = s.id
        )) ORDER BY s.position), '[]')
        FROM sections s WHERE s.course_id = c.id
    ))::text
"""

_DETAIL_BY_ID = text(f"SELECT {_DETAIL} FROM courses c WHERE c.id = :course_id")  # noqa: S608 -- built from constants


def _with_access(body: str) -> TextClause:
    """A body together with what decides whether the user may see it."""
    return text(
        f"""
        SELECT c.version, c.status, c.instructor_id, {body} AS body, EXISTS (
            SELECT 1 FROM enrollments e WHERE e.course_id = c.id AND e.user_id = :user_id
        ) AS enrolled
        FROM courses c WHERE c.id = :course_id
        """  # noqa: S608 -- built from constants
    )


_PARTS: dict[Part, TextClause] = {"detail": _with_access(_DETAIL), "outline": _with_access(_OUTLINE)}

_STATES = text(
    """
    SELECT coalesce(json_object_agg(id, json_build_array(version, status, instructor_id)), '{}')
    FROM courses WHERE id = ANY(CAST(:ids AS uuid[]))
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


@dataclass(frozen=True)
class CourseReading:
    """One part of a course as JSON, and what decides whether a user may see it."""

    state: CourseState
    enrolled: bool
    body: bytes


class CourseReadRepository:
    """Reads without a transaction: each is one statement in one round trip."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def read(self, course_id: UUID, user_id: UUID, part: Part) -> CourseReading | None:
        """The part of the course, and whether the user is enrolled in it. None if there is no such course."""
        row = self._database.run(_PARTS[part], {"course_id": course_id, "user_id": user_id})
        if row is None:
            return None
        state = CourseState(row.version, row.status, row.instructor_id)
        return CourseReading(state, row.enrolled, row.body.encode())

    def states(self, course_ids: list[UUID]) -> dict[UUID, CourseState]:
        """The current states of these courses; deleted courses are missing."""
        row = self._database.run(_STATES, {"ids": [str(course_id) for course_id in course_ids]})
        assert row is not None
        return {
            UUID(course_id): CourseState(version, status, UUID(instructor_id))
            for course_id, (version, status, instructor_id) in row[0].items()
        }


class CourseRepository:
    """Queries in the request's transaction."""

    def __init__(self, db: Session, copies: CourseCopies) -> None:
        self._db = db
        self._copies = copies

    def detail(self, course_id: UUID) -> bytes:
        detail: str = self._db.scalars(_DETAIL_BY_ID, {"course_id": course_id}).one()
        return detail.encode()

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
        """Give the course its next version, which makes every cached response outdated.

        Responses in Redis have the version in their keys. The copy in this
        process is removed when the transaction ends.
        """
        self._copies.remove_after(self._db, course.id)
        course.version += 1
        course.updated_at = utc_now()
        self._db.flush()
