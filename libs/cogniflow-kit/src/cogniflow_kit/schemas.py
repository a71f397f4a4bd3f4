"""Bases of request and response bodies, and cursor pagination."""

import base64
import re
from datetime import UTC, datetime
from typing import Annotated, Any, Generic, TypeVar
from uuid import UUID

from fastapi import Query
from pydantic import AfterValidator, AwareDatetime, BaseModel, BeforeValidator, ConfigDict, field_validator

Item = TypeVar("Item")
_DATE = re.compile(r"\d{4}-\d\d-\d\d[T ]", re.IGNORECASE)


def _without_nul(schema: Any) -> None:
    """Add to the JSON schema that strings contain no NUL, as `RequestBody` requires."""
    if isinstance(schema, dict):
        if schema.get("type") == "string" and not {"const", "enum", "format", "pattern"} & schema.keys():
            schema["pattern"] = r"^[^\u0000]*$"
        for part in list(schema.values()):
            _without_nul(part)
    elif isinstance(schema, list):
        for part in schema:
            _without_nul(part)


def _has_nul(value: Any) -> bool:
    if isinstance(value, str):
        return "\x00" in value
    return isinstance(value, list) and any(map(_has_nul, value))


def _refuse_numbers(value: Any) -> Any:
    """Refuse numbers, which Pydantic takes for Unix time although the schema says `date-time`."""
    if not isinstance(value, datetime) and not (isinstance(value, str) and _DATE.match(value)):
        raise ValueError("must be a date and time such as 2030-01-31T08:00:00Z")
    return value


def _in_utc(value: datetime) -> datetime:
    """Convert to UTC, because PostgreSQL accepts fewer offsets than RFC 3339."""
    try:
        return value.astimezone(UTC)
    except OverflowError as error:
        raise ValueError("is out of range") from error


Instant = Annotated[AwareDatetime, BeforeValidator(_refuse_numbers), AfterValidator(_in_utc)]
"""A time in a request, converted to UTC."""


class RequestBody(BaseModel):
    """Refuses unknown fields, and NUL characters, which PostgreSQL can't store."""

    model_config = ConfigDict(extra="forbid", hide_input_in_errors=True, json_schema_extra=_without_nul)

    @field_validator("*", mode="before")
    @classmethod
    def _refuse_nul(cls, value: Any) -> Any:
        if _has_nul(value):
            raise ValueError("must not contain NUL characters")
        return value


class ResponseBody(BaseModel):
    model_config = ConfigDict(from_attributes=True, hide_input_in_errors=True)


class Page(ResponseBody, Generic[Item]):
    """One slice of a list; `next_cursor` fetches the following one, null ends it."""

    items: list[Item]
    next_cursor: str | None = None


class PageRequest:
    """`?limit=&cursor=` of a list ordered by a UUIDv7 id."""

    def __init__(
        self,
        limit: Annotated[int, Query(ge=1, le=100)] = 20,
        cursor: Annotated[str | None, Query(pattern=r"^[A-Za-z0-9_-]{22}$")] = None,
    ) -> None:
        self.limit = limit
        self.after = _decode(cursor) if cursor is not None else None

    def slice(self, rows: list[Any]) -> tuple[list[Any], str | None]:
        """Split rows that were fetched with `limit + 1` into the page and the cursor of the next page."""
        page = rows[: self.limit]
        more = len(rows) > self.limit
        return page, _encode(page[-1].id) if more else None


def _encode(last: UUID) -> str:
    return base64.urlsafe_b64encode(last.bytes).decode().rstrip("=")


def _decode(cursor: str) -> UUID:
    return UUID(bytes=base64.urlsafe_b64decode(cursor + "=="))
