"""Response bodies and parameter types of the activity routes. Days are UTC days, except in streaks."""

import re
from datetime import date, datetime
from typing import Annotated, Any
from uuid import UUID

from pydantic import BeforeValidator

from cogniflow_kit.schemas import ResponseBody

_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")


def _refuse_numbers(value: Any) -> Any:
    """Pydantic alone accepts numbers: `0` would mean 1970-01-01."""
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
    """Counts from `since` (inclusive) to `until` (exclusive).

    `learners`: distinct learners; a learner active on two days counts once in
    the total. `days`: only days with events. The first and the last day are
    counted as far as they lie in the period.
    """

    course_id: UUID
    since: datetime
    until: datetime
    events: int
    learners: int
    by_type: dict[str, int]
    days: list[DayActivity]


class DailyCount(ResponseBody):
    """`learners`: distinct learners with an event of this type on this day."""

    day: date
    type: str
    events: int
    learners: int


class Daily(ResponseBody):
    """Counts of whole days.

    `as_of`: the counts contain every event stored before this time; null before the first computation.
    """

    course_id: UUID
    first_day: date
    last_day: date
    as_of: datetime | None
    days: list[DailyCount]


class Streak(ResponseBody):
    """`days`: consecutive days with activity up to today, or up to yesterday while today has none."""

    days: int
    today: date
    timezone: str
