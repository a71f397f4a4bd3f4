"""Builds the mail services of a request."""

from typing import Annotated

from fastapi import Depends

from cogniflow_kit.sql.database import DatabaseSession
from users_service.audit.dependencies import RequestAuditLog
from users_service.dependencies import CurrentSettings, JobQueue
from users_service.mail.service import MailOutbox, MailWriter


async def get_mail_writer(db: DatabaseSession, jobs: JobQueue, settings: CurrentSettings) -> MailWriter:
    return MailWriter(db, jobs, settings)


async def get_mail_outbox(
    db: DatabaseSession, audit: RequestAuditLog, settings: CurrentSettings
) -> MailOutbox:
    return MailOutbox(db, audit, settings)


OutgoingMails = Annotated[MailWriter, Depends(get_mail_writer)]
Outbox = Annotated[MailOutbox, Depends(get_mail_outbox)]
