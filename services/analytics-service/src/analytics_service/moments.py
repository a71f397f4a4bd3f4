"""Moments and days as they are written on the wire: ISO 8601, never a bare number.

Pydantic alone would also read `0` as the start of 1970.
"""

import re
from datetime import date
from typing import Annotated, Any

from pydantic import AwareDatetime, BeforeValidator

_CALENDAR_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")


def _written_out(value: Any) -> Any:
    if not isinstance(value, str) or not _CALENDAR_DATE.match(value):
        raise ValueError("must be written as in ISO 8601, beginning with year-month-day")
    return value


Moment = Annotated[AwareDatetime, BeforeValidator(_written_out)]
Day = Annotated[date, BeforeValidator(_written_out)]
