"""Wires the enrollments feature."""

from typing import Annotated

from fastapi import Depends

from cogniflow_kit.identity import CurrentUser
from cogniflow_kit.sql.database import DatabaseSession
from courses_service.enrollments.service import Enrollments


async def get_enrollments(user: CurrentUser, db: DatabaseSession) -> Enrollments:
    return Enrollments(db, user)


EnrollmentsService = Annotated[Enrollments, Depends(get_enrollments)]
