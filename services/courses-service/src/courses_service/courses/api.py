"""Routes of courses."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Request, Response
from starlette.concurrency import run_in_threadpool

from cogniflow_kit.errors import problems
from cogniflow_kit.identity import CurrentUser, Instructor
from cogniflow_kit.json_response import json_response
from cogniflow_kit.schemas import Page, PageRequest
from cogniflow_kit.sql.idempotency import UserIdempotency
from cogniflow_kit.user_route import UserRoute
from courses_service.courses.course_copies import Part
from courses_service.courses.dependencies import CoursesService, course_reader
from courses_service.courses.schemas import CourseDetail, CourseEdit, CourseOut, NewCourse, Outline
from courses_service.courses.service import CourseReader

router = APIRouter(prefix="/api/courses", tags=["courses"])
read_router = APIRouter(prefix="/api/courses", tags=["courses"], route_class=UserRoute)


@router.get("", response_model=Page[CourseOut])
def list_courses(courses: CoursesService, page: Annotated[PageRequest, Depends()]) -> Response:
    """List the published courses, oldest first."""
    return json_response(courses.page(page))


@router.post("", status_code=201, responses=problems(409))
def create_course(
    _: Instructor, body: NewCourse, idempotency: UserIdempotency, courses: CoursesService
) -> CourseDetail:
    """Create a course as a draft that belongs to the caller."""
    return idempotency.store(CourseDetail.model_validate_json(courses.create(body)))


@read_router.get("/{course_id:uuid}", response_model=CourseDetail, responses=problems(404))
async def get_course(request: Request, course_id: UUID, user: CurrentUser) -> Response:
    """Get a course that is published, belongs to the caller, or that the caller is enrolled in."""
    return await _read(course_reader(request, user), course_id, "detail")


@router.patch("/{course_id:uuid}", response_model=CourseDetail, responses=problems(404, 409))
def edit_course(_: Instructor, course_id: UUID, body: CourseEdit, courses: CoursesService) -> Response:
    """Change a course that belongs to the caller (admins: any course).

    With `version`, the edit is refused with 409 if the course has another version by now.
    """
    return json_response(courses.edit(course_id, body))


@read_router.get("/{course_id:uuid}/outline", response_model=Outline, responses=problems(404))
async def get_outline(request: Request, course_id: UUID, user: CurrentUser) -> Response:
    """Get the course's sections and lessons, without the lessons' HTML."""
    return await _read(course_reader(request, user), course_id, "outline")


async def _read(reader: CourseReader, course_id: UUID, part: Part) -> Response:
    """Respond from this process's copy on the event loop; only a read of the database takes a thread."""
    body = reader.from_copy(course_id, part)
    if body is None:
        body = await run_in_threadpool(reader.from_database, course_id, part)
    return json_response(body)
