"""Routes for other services, which authenticate by service tokens. The gateway does not forward them."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Response

from cogniflow_kit.errors import problems
from cogniflow_kit.identity import requires_scope
from cogniflow_kit.json_response import json_response
from cogniflow_kit.schemas import Page, PageRequest
from courses_service.course_access import CourseNotFound
from courses_service.internal.dependencies import CourseTextsRepository
from courses_service.internal.schemas import CourseTexts, CourseVersion

router = APIRouter(
    prefix="/internal", tags=["internal"], dependencies=[Depends(requires_scope("lessons:read"))]
)


@router.get("/courses")
def list_versions(
    courses: CourseTextsRepository, page: Annotated[PageRequest, Depends()]
) -> Page[CourseVersion]:
    """List every course, drafts too, with its version. A higher version means that texts may have changed."""
    rows, next_cursor = page.slice(list(courses.versions(page.after, page.limit)))
    return Page(items=[CourseVersion.model_validate(row) for row in rows], next_cursor=next_cursor)


@router.get("/courses/{course_id:uuid}/lessons", response_model=CourseTexts, responses=problems(404))
def get_texts(course_id: UUID, courses: CourseTextsRepository) -> Response:
    """Get the texts of a course's lessons, all of the same course version."""
    texts = courses.texts(course_id)
    if texts is None:
        raise CourseNotFound
    return json_response(texts)
