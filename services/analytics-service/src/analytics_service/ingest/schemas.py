"""Bodies of the ingest route. Events are validated tolerantly: unknown types and fields are stored."""

from datetime import UTC, datetime, timedelta
from math import isfinite
from typing import Annotated, Any
from uuid import UUID

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints

from cogniflow_kit.ids import utc_now
from cogniflow_kit.schemas import Instant, ResponseBody

MAX_BATCH = 500
_EARLIEST = datetime(2000, 1, 1, tzinfo=UTC)
_MAX_CLOCK_SKEW = timedelta(minutes=10)


def _check_time(occurred_at: datetime) -> datetime:
    if not _EARLIEST <= occurred_at <= utc_now() + _MAX_CLOCK_SKEW:
        raise ValueError("must lie between the year 2000 and now")
    return occurred_at


def _check_value(value: Any) -> Any:
    if not all(_is_allowed(item) for item in (value if isinstance(value, list) else [value])):
        raise ValueError("must be an id, a number, a short word, or a list of them")
    return value


def _is_allowed(value: object) -> bool:
    match value:
        case bool() | None:
            return True
        case int():
            return -(2**63) <= value < 2**63
        case float():
            return isfinite(value)
        case str():
            return len(value) <= 200 and value.isprintable()
        case _:
            return False


FieldName = Annotated[str, StringConstraints(pattern=r"^[A-Za-z][A-Za-z0-9_]{0,63}$")]
FieldValue = Annotated[Any, AfterValidator(_check_value)]


class EventData(BaseModel):
    """Flat data with any fields. The fields that queries need are declared."""

    model_config = ConfigDict(extra="allow")
    __pydantic_extra__: dict[FieldName, FieldValue] = Field(init=False)

    course_id: UUID | None = None


class IncomingEvent(BaseModel):
    """One event. Unknown types and data fields are accepted."""

    id: UUID
    type: Annotated[str, StringConstraints(pattern=r"^[a-z_]+(\.[a-z_]+)+$", max_length=64)]
    occurred_at: Annotated[Instant, AfterValidator(_check_time)]
    actor_id: UUID | None = None
    data: EventData = EventData()


class EventBatch(BaseModel):
    """Events are validated one by one, so that an invalid one does not affect the others.

    Not a RequestBody, whose rules for every field would refuse the whole batch.
    """

    model_config = ConfigDict(extra="forbid")

    events: list[Any] = Field(
        min_length=1,
        max_length=MAX_BATCH,
        description="Each {id, type, occurred_at, actor_id?, data?}; others are rejected singly.",
    )


class Rejection(ResponseBody):
    """`index`: position in the batch, from 0. `id` is null if the event has no valid id."""

    index: int
    id: UUID | None
    reason: str


class Receipt(ResponseBody):
    """`accepted`: number of events that are stored, by this batch or by an earlier one."""

    accepted: int
    rejected: list[Rejection]
