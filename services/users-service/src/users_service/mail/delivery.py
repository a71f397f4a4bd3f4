"""Sends mails by SMTP, in the worker."""

import smtplib
import ssl
from collections.abc import Mapping
from datetime import timedelta
from email.message import EmailMessage
from email.utils import format_datetime
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID

import structlog

from cogniflow_kit.ids import utc_now
from cogniflow_kit.sql.database import Database
from users_service.mail.repository import MailRepository
from users_service.mail.service import RETENTION
from users_service.settings import Settings, SmtpServer
from users_service.tables import Mail

log = structlog.stdlib.get_logger(__name__)

RESEND_JOB = "resend_mails"
_TIMEOUT_S = 10.0
_RESEND_AFTER = timedelta(minutes=15)
"""How long the mail's own job retries; `resend` takes over after that."""
_RESEND_BATCH = 20


class MailNotAccepted(RuntimeError):
    """The mail server can't be reached or refused the mail. The text contains no address and no content."""


class MailSender:
    def __init__(self, database: Database, settings: Settings) -> None:
        self._database = database
        self._settings = settings

    def send(self, arguments: Mapping[str, Any]) -> None:
        """Job: send the mail `mail_id`, unless it was sent or has expired.

        Raises: MailNotAccepted (then the mail can be sent again).
        """
        server = self._settings.smtp_server
        with self._database.transaction() as db:
            mail = MailRepository(db).get(UUID(arguments["mail_id"]))
        if server is None or mail is None or mail.sent_at is not None or mail.expires_at <= utc_now():
            return
        # No transaction is open while the mail server answers. After a crash before `mark_sent`
        # the mail is sent twice, with the same Message-ID.
        submit(server, self._message(mail))
        with self._database.transaction() as db:
            MailRepository(db).mark_sent(mail.id, utc_now() + RETENTION)
        log.info("mail sent", mail_id=str(mail.id))

    def resend(self, _: Mapping[str, Any]) -> None:
        """Job: send mails that the mail server didn't accept during the retries of their own job."""
        if self._settings.smtp_server is None:
            return
        with self._database.transaction() as db:
            unsent = MailRepository(db).unsent(_RESEND_AFTER, _RESEND_BATCH)
        for mail_id in unsent:
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


def submit(server: SmtpServer, message: EmailMessage) -> None:
    """Send one message through the mail server.

    Raises: MailNotAccepted (then the message can be sent again).
    """
    try:
        with _connect(server) as connection:
            if server.tls == "starttls":
                connection.starttls(context=ssl.create_default_context())
            if server.username is not None:
                connection.login(server.username, server.password or "")
            connection.send_message(message)
    except (smtplib.SMTPException, OSError) as error:
        raise MailNotAccepted(type(error).__name__) from None


def _connect(server: SmtpServer) -> smtplib.SMTP:
    if server.tls == "implicit":
        context = ssl.create_default_context()
        return smtplib.SMTP_SSL(server.host, server.port, timeout=_TIMEOUT_S, context=context)
    return smtplib.SMTP(server.host, server.port, timeout=_TIMEOUT_S)
