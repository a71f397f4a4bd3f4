"""Request and response bodies of the privacy routes."""

from datetime import datetime
from typing import Literal
from uuid import UUID

from pydantic import Field

from cogniflow_kit.schemas import RequestBody, ResponseBody


class ExportOut(ResponseBody):
    """The progress of an export.

    `parts_done`: how many of `parts_total` services are in the archive. It can
    be downloaded once while `status` is `ready`, until `expires_at`.
    """

    id: UUID
    status: Literal["queued", "running", "ready", "failed"]
    parts_done: int
    parts_total: int
    created_at: datetime
    expires_at: datetime | None
    downloaded_at: datetime | None


class EraseRequest(RequestBody):
    """`password`: the current one, as a confirmation."""

    password: str = Field(min_length=1, max_length=128)


class ErasureOut(ResponseBody):
    """It can be canceled while `status` is `waiting`, until `due_at`."""

    id: UUID
    status: Literal["waiting", "canceled", "running", "finished"]
    requested_at: datetime
    due_at: datetime
