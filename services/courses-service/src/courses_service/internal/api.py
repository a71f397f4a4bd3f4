"""Routes for other services, with tokens of their own; the gateway doesn't forward them."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Response
from sqlalchemy import select, text

from cogniflow_kit.errors import problems
from cogniflow_kit.identity import requires_scope
from cogniflow_kit.schemas import Page, PageRequest, ResponseBody
from cogniflow_kit.sql.database import DatabaseSession
from courses_service.access import CourseNotFound
from courses_service.responses import json_response
from courses_service.tables import Course

router = APIRouter(
    prefix="/internal", tags=["internal"], dependencies=[Depends(requires_scope("lessons:read"))]
)


class CourseVersion(ResponseBody):
    id: UUID
    version: int


class LessonText(ResponseBody):
    """`text`: the lesson as plain text, paragraphs separated by blank lines, without quizzes."""

    id: UUID
    title: str
    position: int
    text: str


class CourseTexts(ResponseBody):
    course_id: UUID
    version: int
    title: str
    lessons: list[LessonText]


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


@router.get("/courses")
def list_versions(session: DatabaseSession, page: Annotated[PageRequest, Depends()]) -> Page[CourseVersion]:
    """Every course, drafts too, with its version: a higher one means that texts may have changed."""
    courses = select(Course.id, Course.version).order_by(Course.id).limit(page.limit + 1)
    if page.after is not None:
        courses = courses.where(Course.id > page.after)
    rows, next_cursor = page.slice(list(session.execute(courses)))
    return Page(items=[CourseVersion.model_validate(row) for row in rows], next_cursor=next_cursor)


@router.get("/courses/{course_id:uuid}/lessons", response_model=CourseTexts, responses=problems(404))
def get_texts(course_id: UUID, session: DatabaseSession) -> Response:
    """The words of a course's lessons, all of one version."""
    found: str | None = session.scalars(_TEXTS, {"course_id": course_id}).first()
    if found is None:
        raise CourseNotFound("There is no such course.")
    return json_response(found.encode())
