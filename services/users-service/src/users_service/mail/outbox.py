"""The mails that wait, where no mail server sends them."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from cogniflow_kit.schemas import Page, PageRequest, ResponseBody
from users_service.audit.trail import EventType, Trail
from users_service.settings import Settings
from users_service.tables import Mail


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


class Outbox:
    def __init__(self, db: Session, trail: Trail, settings: Settings) -> None:
        self._db = db
        self._trail = trail
        self._settings = settings

    def read(self, admin_id: UUID, page: PageRequest) -> Page[MailOut]:
        """The newest first. Whoever reads a link here could use it, so that reading is recorded."""
        newest_first = select(Mail).order_by(Mail.id.desc()).limit(page.limit + 1)
        if page.after is not None:
            newest_first = newest_first.where(Mail.id < page.after)
        rows, next_cursor = page.slice(list(self._db.scalars(newest_first)))
        items = [MailOut.model_validate(row) for row in rows]
        if self._settings.smtp_server is not None:
            items = [item.model_copy(update={"body": ""}) for item in items]
        self._trail.record(EventType.MAILS_READ, actor_id=admin_id)
        return Page(items=items, next_cursor=next_cursor)
