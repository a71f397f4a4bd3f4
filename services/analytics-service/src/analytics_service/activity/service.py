"""Course activity counted from the log, kept daily counts, and learning streaks."""

from collections import Counter, defaultdict
from datetime import UTC, date, datetime, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

from analytics_service.activity.repository import ActivityLogRepository, CourseCounts, DailyCountRepository
from analytics_service.activity.schemas import Activity, Daily, DailyCount, DayActivity, Streak
from cogniflow_kit.identity import User
from cogniflow_kit.ids import utc_now

_DEFAULT_PERIOD = timedelta(days=30)
_MAX_PERIOD = timedelta(days=366)
_EARLIEST = datetime(2000, 1, 1, tzinfo=UTC)
_LATEST = datetime(2100, 1, 1, tzinfo=UTC)


def count_activity(
    log: ActivityLogRepository, course_id: UUID, since: datetime | None, until: datetime | None
) -> Activity:
    """Count the events of a course in a period: by default the last 30 days, at most 366 days."""
    end = _clamped(until or utc_now())
    start = max(_clamped(since or end - _DEFAULT_PERIOD), end - _MAX_PERIOD)
    counts = log.count_course(course_id, start, end)
    by_type: Counter[str] = Counter()
    for (_, event_type), events in counts.events.items():
        by_type[event_type] += events
    return Activity(
        course_id=course_id,
        since=start,
        until=end,
        events=by_type.total(),
        learners=counts.learners,
        by_type=by_type,
        days=_by_day(counts),
    )


def _clamped(requested: datetime) -> datetime:
    """A time within the range that dates and databases can hold after any subtraction."""
    return min(max(requested, _EARLIEST), _LATEST)


def _by_day(counts: CourseCounts) -> list[DayActivity]:
    by_day: dict[date, dict[str, int]] = defaultdict(dict)
    for (day, event_type), events in counts.events.items():
        by_day[day][event_type] = events
    return [
        DayActivity(
            day=day,
            events=sum(by_type.values()),
            learners=counts.learners_by_day.get(day, 0),
            by_type=by_type,
        )
        for day, by_type in by_day.items()
    ]


def read_daily(counts: DailyCountRepository, course_id: UUID, first: date | None, last: date | None) -> Daily:
    """Read the kept counts of whole days: by default the last 30 days with today, at most 366 days."""
    last = min(max(last or utc_now().date(), _EARLIEST.date()), _LATEST.date())
    one_day = timedelta(days=1)
    first = max(first or last - _DEFAULT_PERIOD + one_day, last - _MAX_PERIOD + one_day)
    return Daily(
        course_id=course_id,
        first_day=first,
        last_day=last,
        as_of=counts.read_to(),
        days=[DailyCount.model_validate(count) for count in counts.of_course(course_id, first, last)],
    )


def read_streak(log: ActivityLogRepository, user: User, timezone: str) -> Streak:
    """The user's current streak, with days that begin at midnight in `timezone` (an IANA name)."""
    zone = ZoneInfo(timezone)
    today = utc_now().astimezone(zone).date()
    active_days = {slot.astimezone(zone).date() for slot in log.learning_slots(user.id)}
    return Streak(days=consecutive_days(active_days, today), today=today, timezone=timezone)


def consecutive_days(active: set[date], today: date) -> int:
    """The number of consecutive active days up to today, or up to yesterday if today is not active yet."""
    day = today if today in active else today - timedelta(days=1)
    days = 0
    while day in active:
        days += 1
        day -= timedelta(days=1)
    return days
