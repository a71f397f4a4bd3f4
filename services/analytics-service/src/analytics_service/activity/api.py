"""What teaching staff may know about their courses."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends

from analytics_service.activity.schemas import Activity, Daily, Day
from analytics_service.activity.service import count_activity, read_daily
from analytics_service.dependencies import DailyCountsInSession, Log, Ownership
from cogniflow_kit.errors import problems
from cogniflow_kit.identity import Instructor
from cogniflow_kit.schemas import Instant

router = APIRouter(prefix="/api/analytics/courses", tags=["courses"])


def require_own_course(course_id: UUID, user: Instructor, ownership: Ownership) -> UUID:
    ownership.require(course_id, user)
    return course_id


# Named before the session among a route's parameters, so that no connection
# is held while courses-service is asked.
OwnCourse = Annotated[UUID, Depends(require_own_course)]


@router.get("/{course_id}/activity", responses=problems(404))
def course_activity(
    course_id: OwnCourse, log: Log, since: Instant | None = None, until: Instant | None = None
) -> Activity:
    """Count a course's events from `since` (inclusive) to `until` (exclusive).

    Both are moments with a zone, by default the last 30 days until now. Of a
    longer period the last 366 days are counted; days are cut in UTC.
    """
    return count_activity(log, course_id, since, until)


@router.get("/{course_id}/daily", responses=problems(404))
def course_daily(
    course_id: OwnCourse,
    counts: DailyCountsInSession,
    first_day: Day | None = None,
    last_day: Day | None = None,
) -> Daily:
    """Counts of whole UTC days, both ends inclusive, brought up to date every ten minutes.

    By default the last 30 days; of a longer period the last 366.
    """
    return read_daily(counts, course_id, first_day, last_day)
