"""The route of retention runs, for admins."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends

from chat_service.platform.retention import repository
from cogniflow_kit.identity import Admin
from cogniflow_kit.schemas import Page, PageRequest, ResponseBody
from cogniflow_kit.sql.database import DatabaseSession

router = APIRouter(tags=["retention"])


class RetentionRunOut(ResponseBody):
    """`counts`: how many sessions, transcripts and detections were deleted. `finished_at` is null for a run
    that broke off; the next run continued."""

    id: UUID
    started_at: datetime
    finished_at: datetime | None
    counts: dict[str, int]


@router.get("/api/retention/runs")
def list_runs(
    _: Admin, db: DatabaseSession, page: Annotated[PageRequest, Depends()]
) -> Page[RetentionRunOut]:
    """List the runs of the past year, newest first. They contain counts and nothing that was deleted."""
    items, next_cursor = page.slice(repository.list_runs(db, page.after, page.limit))
    return Page(items=[RetentionRunOut.model_validate(item) for item in items], next_cursor=next_cursor)
