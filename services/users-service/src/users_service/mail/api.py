"""The mails that are waiting, for admins of an installation without a mail server."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Response
from sqlalchemy import select

from cogniflow_kit.identity import Admin
from cogniflow_kit.schemas import Page, PageRequest, ResponseBody
from cogniflow_kit.sql.database import DatabaseSession
from users_service.audit.trail import EventType
from users_service.dependencies import CurrentSettings, SecurityTrail
from users_service.tables import Mail

router = APIRouter(tags=["mails"])


class MailOut(ResponseBody):
    """`body` is empty once the mail was sent, and always where a mail server is set."""

    id: UUID
    user_id: UUID | None
    recipient: str
    subject: str
    body: str
    created_at: datetime
    expires_at: datetime
    sent_at: datetime | None


@router.get("/api/admin/mails")
def mails(
    admin: Admin,
    session: DatabaseSession,
    settings: CurrentSettings,
    trail: SecurityTrail,
    page: Annotated[PageRequest, Depends()],
    response: Response,
) -> Page[MailOut]:
    """The newest first. Whoever reads a link here could use it, so that reading is recorded."""
    newest_first = select(Mail).order_by(Mail.id.desc()).limit(page.limit + 1)
    if page.after is not None:
        newest_first = newest_first.where(Mail.id < page.after)
    rows, next_cursor = page.slice(list(session.scalars(newest_first)))
    items = [MailOut.model_validate(row) for row in rows]
    if settings.smtp_server is not None:
        items = [item.model_copy(update={"body": ""}) for item in items]
    trail.record(EventType.MAILS_READ, actor_id=admin.id)
    response.headers["Cache-Control"] = "no-store"
    return Page(items=items, next_cursor=next_cursor)
