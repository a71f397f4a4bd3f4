"""Wires the courses feature."""

from typing import Annotated

from fastapi import Depends, Request

from cogniflow_kit.identity import CurrentUser, User
from cogniflow_kit.sql.database import DatabaseSession
from courses_service.courses.course_copies import CourseCopies
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


def course_reader(request: Request, user: User) -> CourseReader:
    """The reader of this user. A function and not a dependency, which would cost a fifth of a read."""
    state = request.app.state
    return CourseReader(state.course_reads, state.course_copies, user)


CoursesService = Annotated[Courses, Depends(get_courses)]
