"""The only place that wires services to the request."""

from typing import Annotated

from fastapi import Depends, Request

from cogniflow_kit.identity import CurrentUser
from cogniflow_kit.mongo import Mongo
from cogniflow_kit.redis import Cache
from cogniflow_kit.sql.database import DatabaseSession
from courses_service.courses.service import Courses
from courses_service.enrollments.service import Enrollments
from courses_service.imports.service import Imports
from courses_service.lessons.service import Lessons
from courses_service.quizzes.service import Quizzes


async def get_cache(request: Request) -> Cache:
    cache: Cache = request.app.state.cache
    return cache


async def get_mongo(request: Request) -> Mongo:
    mongo: Mongo = request.app.state.mongo
    return mongo


# The user comes first everywhere: who has no valid token takes no database connection.
async def get_courses(
    user: CurrentUser, session: DatabaseSession, cache: Annotated[Cache, Depends(get_cache)]
) -> Courses:
    return Courses(session, cache, user)


async def get_lessons(
    user: CurrentUser, session: DatabaseSession, cache: Annotated[Cache, Depends(get_cache)]
) -> Lessons:
    return Lessons(session, cache, user)


async def get_enrollments(user: CurrentUser, session: DatabaseSession) -> Enrollments:
    return Enrollments(session, user)


async def get_quizzes(
    user: CurrentUser, session: DatabaseSession, mongo: Annotated[Mongo, Depends(get_mongo)]
) -> Quizzes:
    return Quizzes(session, mongo, user)


async def get_imports(user: CurrentUser, session: DatabaseSession) -> Imports:
    return Imports(session, user)


CoursesService = Annotated[Courses, Depends(get_courses)]
LessonsService = Annotated[Lessons, Depends(get_lessons)]
EnrollmentsService = Annotated[Enrollments, Depends(get_enrollments)]
QuizzesService = Annotated[Quizzes, Depends(get_quizzes)]
ImportsService = Annotated[Imports, Depends(get_imports)]
