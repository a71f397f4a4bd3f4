"""Searching the trail."""

from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Depends
from sqlalchemy import Select, select

from cogniflow_kit.schemas import Instant, Page, PageRequest, RequestBody, ResponseBody
from cogniflow_kit.sql.database import DatabaseSession
from users_service.audit.trail import EventType
from users_service.dependencies import Admin
from users_service.tables import SecurityEvent

router = APIRouter(tags=["audit"])


class Search(RequestBody):
    """What to look for; `until` itself is excluded."""

    type: EventType | None = None
    user_id: UUID | None = None
    since: Instant | None = None
    until: Instant | None = None


class SecurityEventOut(ResponseBody):
    """`actor_id`: who did it, where that wasn't the user."""

    id: UUID
    type: EventType
    user_id: UUID | None
    actor_id: UUID | None
    session_id: UUID | None
    address: str | None
    data: dict[str, Any]
    occurred_at: datetime


@router.get("/api/admin/security-events")
def search(
    _: Admin,
    db: DatabaseSession,
    page: Annotated[PageRequest, Depends()],
    wanted: Annotated[Search, Depends()],
) -> Page[SecurityEventOut]:
    """The newest first."""
    newest_first = select(SecurityEvent).order_by(SecurityEvent.id.desc()).limit(page.limit + 1)
    if page.after is not None:
        newest_first = newest_first.where(SecurityEvent.id < page.after)
    events = db.scalars(_matching(newest_first, wanted))
    rows, next_cursor = page.slice(list(events))
    return Page(items=[SecurityEventOut.model_validate(row) for row in rows], next_cursor=next_cursor)


def _matching(events: Select[SecurityEvent], wanted: Search) -> Select[SecurityEvent]:
    if wanted.type is not None:
        events = events.where(SecurityEvent.type == wanted.type)
    if wanted.user_id is not None:
        events = events.where(SecurityEvent.user_id == wanted.user_id)
    if wanted.since is not None:
        events = events.where(SecurityEvent.occurred_at >= wanted.since)
    if wanted.until is not None:
        events = events.where(SecurityEvent.occurred_at < wanted.until)
    return events
