"""Wires the courses feature."""

from typing import Annotated

from fastapi import Depends

from cogniflow_kit.identity import CurrentUser
from cogniflow_kit.sql.database import DatabaseSession
from courses_service.courses.service import Courses
from courses_service.dependencies import ResponseCache


async def get_courses(user: CurrentUser, db: DatabaseSession, cache: ResponseCache) -> Courses:
    return Courses(db, cache, user)


CoursesService = Annotated[Courses, Depends(get_courses)]
