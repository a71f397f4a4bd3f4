"""Wires the activity feature."""

from typing import Annotated
from uuid import UUID

from fastapi import Depends, Request

from analytics_service.activity.course_ownership import CourseOwnership
from analytics_service.activity.repository import ActivityLogRepository, DailyCountRepository
from analytics_service.dependencies import MongoStore
from cogniflow_kit.identity import Instructor
from cogniflow_kit.sql.database import DatabaseSession


async def get_log(mongo: MongoStore) -> ActivityLogRepository:
    return ActivityLogRepository(mongo)


async def get_daily_counts(db: DatabaseSession) -> DailyCountRepository:
    return DailyCountRepository(db)


def require_own_course(request: Request, course_id: UUID, user: Instructor) -> UUID:
    CourseOwnership(request.app.state.courses).require(course_id, user)
    return course_id


ActivityLog = Annotated[ActivityLogRepository, Depends(get_log)]
DailyCounts = Annotated[DailyCountRepository, Depends(get_daily_counts)]
# Routes name it before `DailyCounts`, so that no database connection is held during the call to
# courses-service.
OwnCourse = Annotated[UUID, Depends(require_own_course)]
