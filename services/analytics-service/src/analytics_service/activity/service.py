"""What happened in a course: counted live, or read from the kept daily counts."""

from collections import Counter, defaultdict
from datetime import UTC, date, datetime, timedelta
from uuid import UUID

from analytics_service.activity.log import ActivityLog, CourseCounts
from analytics_service.activity.repository import DailyCounts
from analytics_service.activity.schemas import Activity, Daily, DayActivity
from cogniflow_kit.ids import utc_now

_USUAL = timedelta(days=30)
_LONGEST = timedelta(days=366)
_FIRST = datetime(2000, 1, 1, tzinfo=UTC)
_LAST = datetime(2100, 1, 1, tzinfo=UTC)


def count_activity(
    log: ActivityLog, course_id: UUID, since: datetime | None, until: datetime | None
) -> Activity:
    """Count the log between two moments, by default the last 30 days until now."""
    end = _within_era(until or utc_now())
    start = max(_within_era(since or end - _USUAL), end - _LONGEST)
    counts = log.course(course_id, start, end)
    by_type: Counter[str] = Counter()
    for (_, kind), events in counts.events.items():
        by_type[kind] += events
    return Activity(
        course_id=course_id,
        since=start,
        until=end,
        events=by_type.total(),
        learners=counts.learners,
        by_type=by_type,
        days=_by_day(counts),
    )


def _within_era(moment: datetime) -> datetime:
    return min(max(moment, _FIRST), _LAST)


def _by_day(counts: CourseCounts) -> list[DayActivity]:
    by_day: dict[date, dict[str, int]] = defaultdict(dict)
    for (day, kind), events in counts.events.items():
        by_day[day][kind] = events
    return [
        DayActivity(
            day=day, events=sum(kinds.values()), learners=counts.learners_by_day.get(day, 0), by_type=kinds
        )
        for day, kinds in by_day.items()
    ]


def read_daily(counts: DailyCounts, course_id: UUID, first: date | None, last: date | None) -> Daily:
    """The kept counts of these days, by default of the last 30 including today."""
    last = min(max(last or utc_now().date(), _FIRST.date()), _LAST.date())
    first = max(first or last - _USUAL + timedelta(days=1), last - _LONGEST + timedelta(days=1))
    return Daily(
        course_id=course_id,
        first_day=first,
        last_day=last,
        as_of=counts.read_to(),
        days=counts.of_course(course_id, first, last),
    )
