"""Writes mails, and lists them for admins."""

import json
from datetime import datetime, timedelta
from uuid import UUID

import structlog
from sqlalchemy import event
from sqlalchemy.orm import Session

from cogniflow_kit.ids import new_id, utc_now
from cogniflow_kit.jobs import Jobs
from cogniflow_kit.schemas import Page, PageRequest
from users_service.audit.event_types import EventType
from users_service.audit.service import AuditLog
from users_service.mail.repository import MailRepository
from users_service.mail.schemas import MailOut
from users_service.mail.templates import MailTemplate
from users_service.settings import Settings
from users_service.tables import Mail, User

log = structlog.stdlib.get_logger(__name__)

SEND_JOB = "send_mail"
RETENTION = timedelta(days=30)
"""How long a mail without a link, or the record of a sent mail, is kept."""


class MailWriter:
    """Writes mails in the caller's transaction; the worker sends them after its commit.

    Without a mail server the log says where an admin can read the mail.
    """

    def __init__(self, db: Session, jobs: Jobs, settings: Settings) -> None:
        self._db = db
        self._mails = MailRepository(db)
        self._jobs = jobs
        self._settings = settings

    def write(
        self,
        template: MailTemplate,
        user: User,
        *,
        to: str,
        expires_at: datetime | None = None,
        **values: str,
    ) -> None:
        """Fill the template with `values` and the user's name, and queue the mail.

        `expires_at`: when the link in the mail expires; after that it isn't sent any more.
        """
        mail = Mail(
            id=new_id(),
            user_id=user.id,
            recipient=to,
            subject=template.subject,
            body=template.render(name=user.full_name, **values),
            expires_at=expires_at or utc_now() + RETENTION,
        )
        self._mails.add(mail)
        if self._settings.smtp_server is not None:
            self._jobs.enqueue(self._db, SEND_JOB, json.dumps({"mail_id": str(mail.id)}))
        else:
            event.listen(self._db, "after_commit", lambda _: self._log_where_to_read(mail.id), once=True)

    def link(self, page: str, token: str) -> str:
        return f"{link_prefix(self._settings)}/{page}?token={token}"

    def _log_where_to_read(self, mail_id: UUID) -> None:
        page = f"{self._settings.public_url.rstrip('/')}/api/admin/outbox"
        log.info("mail waits for an admin, since no mail server is set", mail_id=str(mail_id), page=page)


def link_prefix(settings: Settings) -> str:
    """Return the URL that every link in a mail starts with."""
    return f"{settings.public_url.rstrip('/')}/api/auth/links"


class MailOutbox:
    """Lists mails for admins, who pass the links on when there is no mail server."""

    def __init__(self, db: Session, audit: AuditLog, settings: Settings) -> None:
        self._mails = MailRepository(db)
        self._audit = audit
        self._settings = settings

    def read(self, admin_id: UUID, page: PageRequest) -> Page[MailOut]:
        """List mails, newest first. Records that the admin read them, because their links give access."""
        rows, next_cursor = page.slice(self._mails.page(page.after, page.limit))
        items = [MailOut.model_validate(row) for row in rows]
        if self._settings.smtp_server is not None:
            items = [item.model_copy(update={"body": ""}) for item in items]
        self._audit.record(EventType.MAILS_READ, actor_id=admin_id)
        return Page(items=items, next_cursor=next_cursor)


def delete_expired_mails(db: Session) -> None:
    MailRepository(db).delete_expired()
