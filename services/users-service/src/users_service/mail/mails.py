"""Writing mails, and sending them."""

import json
from collections.abc import Mapping
from datetime import datetime, timedelta
from email.message import EmailMessage
from email.utils import format_datetime
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID

import structlog
from sqlalchemy import delete, event, func, select, update
from sqlalchemy.orm import Session

from cogniflow_kit.ids import new_id, utc_now
from cogniflow_kit.jobs import Jobs
from cogniflow_kit.sql.database import Database
from users_service.mail.smtp import MailNotAccepted
from users_service.mail.texts import Text
from users_service.settings import Settings
from users_service.tables import Mail, User

log = structlog.stdlib.get_logger(__name__)

SEND = "send_mail"
RESEND = "resend_mails"
KEPT = timedelta(days=30)
"""How long a notice, or the record of a mail that was sent, is kept."""
_JOB_TRIES = timedelta(minutes=15)
_AT_ONCE = 20


class Mails:
    """Adds mails to the transaction of what they tell; they go out after its commit."""

    def __init__(self, db: Session, jobs: Jobs, settings: Settings) -> None:
        self._db = db
        self._jobs = jobs
        self._settings = settings

    def write(
        self, text: Text, user: User, *, to: str, expires_at: datetime | None = None, **values: str
    ) -> None:
        """`expires_at`: when the link in it dies, and it isn't worth sending any more."""
        mail = Mail(
            id=new_id(),
            user_id=user.id,
            recipient=to,
            subject=text.subject,
            body=text.filled(name=user.full_name, **values),
            expires_at=expires_at or utc_now() + KEPT,
        )
        self._db.add(mail)
        if self._settings.smtp_server is not None:
            self._jobs.enqueue(self._db, SEND, json.dumps({"mail_id": str(mail.id)}))
        else:
            event.listen(self._db, "after_commit", lambda _: self._point_out(mail.id), once=True)

    def link(self, page: str, token: str) -> str:
        return f"{links_address(self._settings)}/{page}?token={token}"

    def _point_out(self, mail_id: UUID) -> None:
        page = f"{self._settings.public_url.rstrip('/')}/api/admin/outbox"
        log.info("mail waits for an admin, since no mail server is set", mail_id=str(mail_id), page=page)


def links_address(settings: Settings) -> str:
    """What every link in a mail begins with."""
    return f"{settings.public_url.rstrip('/')}/api/auth/links"


class Sender:
    """The worker's side."""

    def __init__(self, database: Database, settings: Settings) -> None:
        self._database = database
        self._settings = settings

    def send(self, arguments: Mapping[str, Any]) -> None:
        """Job: send one mail, unless that was done. Raises MailNotAccepted."""
        server = self._settings.smtp_server
        with self._database.transaction() as db:
            mail = db.get(Mail, UUID(arguments["mail_id"]))
        if server is None or mail is None or mail.sent_at is not None or mail.expires_at <= utc_now():
            return
        # Sent outside of a transaction, which must not wait for another server. A crash between
        # here and the mark sends it twice, with the same Message-ID.
        server.hand_over(self._message(mail))
        done = {"sent_at": utc_now(), "body": "", "expires_at": utc_now() + KEPT}
        with self._database.transaction() as db:
            db.execute(update(Mail).where(Mail.id == mail.id).values(done))
        log.info("mail sent", mail_id=str(mail.id))

    def resend(self, _: Mapping[str, Any]) -> None:
        """Job: try what the mail server didn't take while its own job lasted."""
        if self._settings.smtp_server is None:
            return
        left = (Mail.sent_at.is_(None), Mail.created_at < func.now() - _JOB_TRIES)
        with self._database.transaction() as db:
            waiting = list(db.scalars(select(Mail.id).where(*left).order_by(Mail.id).limit(_AT_ONCE)))
        for mail_id in waiting:
            try:
                self.send({"mail_id": str(mail_id)})
            except MailNotAccepted as error:
                log.warning("mail not accepted", mail_id=str(mail_id), error=str(error))

    def _message(self, mail: Mail) -> EmailMessage:
        message = EmailMessage()
        message["From"] = self._settings.mail_from
        message["To"] = mail.recipient
        message["Subject"] = mail.subject
        message["Date"] = format_datetime(mail.created_at)
        message["Message-ID"] = f"<{mail.id}@{urlsplit(self._settings.public_url).hostname}>"
        message["Auto-Submitted"] = "auto-generated"
        message.set_content(mail.body)
        return message


def forget_mails(db: Session) -> None:
    db.execute(delete(Mail).where(Mail.expires_at < func.now()))
