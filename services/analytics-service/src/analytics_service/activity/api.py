"""Routes of course analytics and of learning streaks."""

from fastapi import APIRouter

from analytics_service.activity.dependencies import ActivityLog, DailyCounts, OwnCourse
from analytics_service.activity.schemas import Activity, Daily, Day, Streak
from analytics_service.activity.service import count_activity, read_daily, read_streak
from cogniflow_kit.errors import problems
from cogniflow_kit.identity import CurrentUser
from cogniflow_kit.schemas import Instant
from cogniflow_kit.timezones import Timezone

router = APIRouter(prefix="/api/analytics/courses", tags=["courses"])
streak_router = APIRouter(prefix="/api/analytics", tags=["activity"])


@router.get("/{course_id}/activity", responses=problems(404))
def course_activity(
    course_id: OwnCourse, log: ActivityLog, since: Instant | None = None, until: Instant | None = None
) -> Activity:
    """Count a course's events from `since` (inclusive) to `until` (exclusive), directly from the log.

    Both are times with a zone; the default is the last 30 days until now. Of a
    longer period, the last 366 days are counted. Days are UTC days.
    """
    return count_activity(log, course_id, since, until)


@router.get("/{course_id}/daily", responses=problems(404))
def course_daily(
    course_id: OwnCourse, counts: DailyCounts, first_day: Day | None = None, last_day: Day | None = None
) -> Daily:
    """Get the counts of whole UTC days, both inclusive, which are updated every ten minutes.

    The default is the last 30 days. Of a longer period, the last 366 days are returned.
    """
    return read_daily(counts, course_id, first_day, last_day)


@streak_router.get("/streak")
def streak(user: CurrentUser, log: ActivityLog, timezone: Timezone = "UTC") -> Streak:
    """Get the caller's learning streak. Days begin at midnight in `timezone`, an IANA name."""
    return read_streak(log, user, timezone)
