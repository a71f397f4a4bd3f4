"""What happened in a course, as the API says it. A day is a UTC day throughout."""

import re
from datetime import date, datetime
from typing import Annotated, Any
from uuid import UUID

from pydantic import BeforeValidator

from cogniflow_kit.schemas import ResponseBody

_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")


def _refuse_numbers(value: Any) -> Any:
    """Pydantic alone would take `0` for the first day of 1970."""
    if not (isinstance(value, str) and _DAY.fullmatch(value)):
        raise ValueError("must be a day such as 2026-03-02")
    return value


Day = Annotated[date, BeforeValidator(_refuse_numbers)]


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
