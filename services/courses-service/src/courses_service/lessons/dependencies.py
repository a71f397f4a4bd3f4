"""Wires the lessons feature."""

from typing import Annotated

from fastapi import Depends

from cogniflow_kit.identity import CurrentUser
from cogniflow_kit.sql.database import DatabaseSession
from courses_service.courses.dependencies import Copies
from courses_service.dependencies import ResponseCache
from courses_service.lessons.service import Lessons


async def get_lessons(
    user: CurrentUser, db: DatabaseSession, cache: ResponseCache, copies: Copies
) -> Lessons:
    return Lessons(db, cache, copies, user)


LessonsService = Annotated[Lessons, Depends(get_lessons)]
