"""Wires the internal routes."""

from typing import Annotated

from fastapi import Depends

from cogniflow_kit.sql.database import DatabaseSession
from courses_service.internal.repository import CourseTextRepository


async def get_course_texts(db: DatabaseSession) -> CourseTextRepository:
    return CourseTextRepository(db)


CourseTextsRepository = Annotated[CourseTextRepository, Depends(get_course_texts)]
