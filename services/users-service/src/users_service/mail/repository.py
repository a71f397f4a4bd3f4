"""Queries on mails."""

from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import delete, func, select, update
from sqlalchemy.orm import Session

from cogniflow_kit.ids import utc_now
from users_service.tables import Mail


class MailRepository:
    def __init__(self, db: Session) -> None:
        self._db = db

    def add(self, mail: Mail) -> None:
        self._db.add(mail)

    def get(self, mail_id: UUID) -> Mail | None:
        return self._db.get(Mail, mail_id)

    def page(self, before: UUID | None, limit: int) -> list[Mail]:
        """Mails, newest first: up to `limit + 1`, so that the caller sees if there are more."""
        newest_first = select(Mail).order_by(Mail.id.desc()).limit(limit + 1)
        if before is not None:
            newest_first = newest_first.where(Mail.id < before)
        return list(self._db.scalars(newest_first))

    def unsent(self, min_age: timedelta, limit: int) -> list[UUID]:
        """Ids of mails written at least `min_age` ago and not sent yet, oldest first."""
        unsent = (Mail.sent_at.is_(None), Mail.created_at < func.now() - min_age)
        return list(self._db.scalars(select(Mail.id).where(*unsent).order_by(Mail.id).limit(limit)))

    def mark_sent(self, mail_id: UUID, expires_at: datetime) -> None:
        """Record that the mail was sent, and empty its body."""
        sent = {"sent_at": utc_now(), "body": "", "expires_at": expires_at}
        self._db.execute(update(Mail).where(Mail.id == mail_id).values(sent))

    def delete_expired(self) -> None:
        self._db.execute(delete(Mail).where(Mail.expires_at < func.now()))
