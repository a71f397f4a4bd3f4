"""Search of the audit log."""

from typing import Annotated

from fastapi import APIRouter, Depends

from cogniflow_kit.schemas import Page, PageRequest
from cogniflow_kit.sql.database import DatabaseSession
from users_service.audit.dependencies import Admin
from users_service.audit.repository import SecurityEventRepository
from users_service.audit.schemas import EventFilter, SecurityEventOut

router = APIRouter(tags=["audit"])


@router.get("/api/admin/security-events")
def search(
    _: Admin,
    db: DatabaseSession,
    page: Annotated[PageRequest, Depends()],
    criteria: Annotated[EventFilter, Depends()],
) -> Page[SecurityEventOut]:
    """List security events, newest first."""
    events = SecurityEventRepository(db).page(page.after, page.limit, criteria)
    rows, next_cursor = page.slice(events)
    return Page(items=[SecurityEventOut.model_validate(row) for row in rows], next_cursor=next_cursor)
