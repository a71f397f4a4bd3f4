"""Bodies of the privacy routes."""

from datetime import datetime
from typing import Literal
from uuid import UUID

from pydantic import Field

from cogniflow_kit.schemas import RequestBody, ResponseBody


class ExportOut(ResponseBody):
    """`parts_done` of `parts_total` services; it can be downloaded once while `ready`, until `expires_at`."""

    id: UUID
    status: Literal["queued", "running", "ready", "failed"]
    parts_done: int
    parts_total: int
    created_at: datetime
    expires_at: datetime | None
    downloaded_at: datetime | None


class EraseRequest(RequestBody):
    password: str = Field(min_length=1, max_length=128)


class ErasureOut(ResponseBody):
    """While `waiting` it can be canceled; from `due_at` on it can't."""

    id: UUID
    status: Literal["waiting", "canceled", "running", "finished"]
    requested_at: datetime
    due_at: datetime
