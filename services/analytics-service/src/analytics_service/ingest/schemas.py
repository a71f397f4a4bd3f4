"""What other services send: this service's own, tolerant reading of an event."""

from datetime import UTC, datetime, timedelta
from math import isfinite
from typing import Annotated, Any
from uuid import UUID

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints

from cogniflow_kit.ids import utc_now
from cogniflow_kit.schemas import Instant, ResponseBody

MAX_BATCH = 500
_EARLIEST = datetime(2000, 1, 1, tzinfo=UTC)
_CLOCK_SKEW = timedelta(minutes=10)


def _plausible(moment: datetime) -> datetime:
    if not _EARLIEST <= moment <= utc_now() + _CLOCK_SKEW:
        raise ValueError("must lie between the year 2000 and now")
    return moment


def _fact(value: Any) -> Any:
    if not all(_is_plain(item) for item in (value if isinstance(value, list) else [value])):
        raise ValueError("must be an id, a number, a short word, or a list of them")
    return value


def _is_plain(value: object) -> bool:
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


Name = Annotated[str, StringConstraints(pattern=r"^[A-Za-z][A-Za-z0-9_]{0,63}$")]
Fact = Annotated[Any, AfterValidator(_fact)]


class EventData(BaseModel):
    """Any flat facts; the fields that queries need are named and typed."""

    model_config = ConfigDict(extra="allow")
    __pydantic_extra__: dict[Name, Fact] = Field(init=False)

    course_id: UUID | None = None


class IncomingEvent(BaseModel):
    """Types and fields this service doesn't know yet are welcome."""

    id: UUID
    type: Annotated[str, StringConstraints(pattern=r"^[a-z_]+(\.[a-z_]+)+$", max_length=64)]
    occurred_at: Annotated[Instant, AfterValidator(_plausible)]
    actor_id: UUID | None = None
    data: EventData = EventData()


class EventBatch(BaseModel):
    """Events are looked at one by one, so that a bad one never holds up the others.

    No RequestBody: its rules reach into every field and would refuse the batch.
    """

    model_config = ConfigDict(extra="forbid")

    events: list[Any] = Field(
        min_length=1,
        max_length=MAX_BATCH,
        description="Each {id, type, occurred_at, actor_id?, data?}; others are rejected singly.",
    )


class Rejection(ResponseBody):
    """`index`: its place in the batch, from 0; `id` is null where it has none that can be read."""

    index: int
    id: UUID | None
    reason: str


class Receipt(ResponseBody):
    """`accepted` events are stored, whether by this batch or by an earlier one."""

    accepted: int
    rejected: list[Rejection]
