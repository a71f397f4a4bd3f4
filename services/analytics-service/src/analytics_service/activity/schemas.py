"""What happened in a course, as the API says it. A day is a UTC day throughout."""

from datetime import date, datetime
from uuid import UUID

from cogniflow_kit.schemas import ResponseBody


class DayActivity(ResponseBody):
    day: date
    events: int
    learners: int
    by_type: dict[str, int]


class Activity(ResponseBody):
    """What was counted: from `since` (inclusive) to `until` (exclusive).

    `learners` are distinct people; somebody active on two days counts once in
    the total. `days` holds the days on which something happened, the first and
    the last as far as they lie in the period.
    """

    course_id: UUID
    since: datetime
    until: datetime
    events: int
    learners: int
    by_type: dict[str, int]
    days: list[DayActivity]


class DailyCount(ResponseBody):
    """`learners`: distinct people with an event of this type on this day."""

    day: date
    type: str
    events: int
    learners: int


class Daily(ResponseBody):
    """Kept counts of whole days.

    `as_of`: every event stored before this moment is in them; null before the first count.
    """

    course_id: UUID
    first_day: date
    last_day: date
    as_of: datetime | None
    days: list[DailyCount]
