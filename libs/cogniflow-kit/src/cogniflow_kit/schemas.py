"""Bases of request and response bodies, and cursor pagination."""

import base64
import binascii
from typing import Annotated, Any, Generic, TypeVar
from uuid import UUID

from fastapi import Query
from pydantic import BaseModel, ConfigDict, field_validator

from cogniflow_kit.errors import Unprocessable

Item = TypeVar("Item")


class RequestBody(BaseModel):
    """A body that refuses fields it doesn't know, and text no database can hold."""

    model_config = ConfigDict(extra="forbid")

    @field_validator("*", mode="before")
    @classmethod
    def _refuse_nul(cls, value: Any) -> Any:
        if isinstance(value, str) and "\x00" in value:
            raise ValueError("must not contain NUL characters")
        return value


class ResponseBody(BaseModel):
    model_config = ConfigDict(from_attributes=True)


class Page(ResponseBody, Generic[Item]):
    """One slice of a list; `next_cursor` fetches the following one, null ends it."""

    items: list[Item]
    next_cursor: str | None = None


class InvalidCursor(Unprocessable):
    code = "invalid_cursor"


class PageRequest:
    """`?limit=&cursor=` of a list ordered by a UUIDv7 id."""

    def __init__(
        self,
        limit: Annotated[int, Query(ge=1, le=100)] = 20,
        cursor: Annotated[str | None, Query(max_length=64)] = None,
    ) -> None:
        self.limit = limit
        self.after = _decode(cursor) if cursor is not None else None

    def slice(self, rows: list[Any]) -> tuple[list[Any], str | None]:
        """Cut rows fetched with `limit + 1` to the page and the cursor behind it."""
        page = rows[: self.limit]
        more = len(rows) > self.limit
        return page, _encode(page[-1].id) if more else None


def _encode(last: UUID) -> str:
    return base64.urlsafe_b64encode(last.bytes).decode().rstrip("=")


def _decode(cursor: str) -> UUID:
    try:
        return UUID(bytes=base64.b64decode(cursor + "==", altchars=b"-_", validate=True))
    except (binascii.Error, ValueError) as error:
        raise InvalidCursor("The cursor is not one this list gave out.") from error
