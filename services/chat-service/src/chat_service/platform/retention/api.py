"""What was cleared up, for admins."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends
from sqlalchemy import select

from chat_service import tables
from cogniflow_kit.identity import Admin
from cogniflow_kit.schemas import Page, PageRequest, ResponseBody
from cogniflow_kit.sql.database import DatabaseSession

router = APIRouter(tags=["retention"])


class RetentionRunOut(ResponseBody):
    """`counts` by kind: sessions, transcripts, detections. Not finished: it broke off, the next went on."""

    id: UUID
    started_at: datetime
    finished_at: datetime | None
    counts: dict[str, int]


@router.get("/api/retention/runs")
def list_runs(
    _: Admin, session: DatabaseSession, page: Annotated[PageRequest, Depends()]
) -> Page[RetentionRunOut]:
    """The runs of the past year, newest first. They hold numbers, and nothing of what was removed."""
    found = (
        select(
            tables.RetentionRun.run_id.label("id"),
            tables.RetentionRun.started_at,
            tables.RetentionRun.finished_at,
            tables.RetentionRun.counts,
        )
        .order_by(tables.RetentionRun.run_id.desc())
        .limit(page.limit + 1)
    )
    if page.after is not None:
        found = found.where(tables.RetentionRun.run_id < page.after)
    items, next_cursor = page.slice(list(session.execute(found)))
    return Page(items=[RetentionRunOut.model_validate(item) for item in items], next_cursor=next_cursor)
