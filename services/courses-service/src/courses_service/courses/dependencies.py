"""Wires the courses feature."""

from typing import Annotated

from fastapi import Depends, Request

from cogniflow_kit.identity import CurrentUser
from cogniflow_kit.sql.database import DatabaseSession
from courses_service.courses.course_copies import CourseCopies
from courses_service.courses.repository import CourseReadRepository
from courses_service.courses.service import CourseReader, Courses
from courses_service.dependencies import ResponseCache


async def get_course_copies(request: Request) -> CourseCopies:
    copies: CourseCopies = request.app.state.course_copies
    return copies


Copies = Annotated[CourseCopies, Depends(get_course_copies)]


async def get_courses(
    user: CurrentUser, db: DatabaseSession, cache: ResponseCache, copies: Copies
) -> Courses:
    return Courses(db, cache, copies, user)


async def get_course_reader(request: Request, user: CurrentUser) -> CourseReader:
    """Opens no database session, which a read from a copy doesn't need. It takes its parts from the
    application's state, because each dependency of its own would cost a fifth of such a read."""
    state = request.app.state
    return CourseReader(CourseReadRepository(state.database), state.course_copies, user)


CoursesService = Annotated[Courses, Depends(get_courses)]
CourseReaderService = Annotated[CourseReader, Depends(get_course_reader)]
