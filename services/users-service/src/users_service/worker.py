"""`python -m users_service.worker`: relays facts, sends mails and keeps the tables small."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from sqlalchemy import delete, func

from cogniflow_kit.jobs import Jobs, Schedule
from cogniflow_kit.sql.database import Database
from cogniflow_kit.sql.outbox import SqlOutbox
from cogniflow_kit.worker import Worker
from users_service.accounts.password import FORGOTTEN, answer_forgotten
from users_service.keys.verification import forget_revocations
from users_service.login.limits import WINDOW
from users_service.mail.mails import RESEND, SEND, Mails, Sender, forget_mails
from users_service.privacy.jobs import SCHEDULES, handle_privacy
from users_service.settings import Settings
from users_service.tables import ExternalLogin, LoginFailure, OneTimeToken, RefreshToken


def build(settings: Settings) -> Worker:
    database = Database(settings.database_url.get_secret_value(), application="users-worker")
    jobs = Jobs(database, settings.redis_url.get_secret_value(), settings.schema_name)
    jobs.handler("forget_expired", lambda _: _forget_expired(database))
    handle_mails(database, jobs, settings)
    handle_privacy(database, jobs, settings)
    return Worker(
        settings,
        database,
        jobs,
        outboxes=[SqlOutbox(database)],
        schedules=[
            Schedule("forget_expired", timedelta(hours=1)),
            Schedule(RESEND, timedelta(minutes=15)),
            *SCHEDULES,
        ],
    )


def handle_mails(database: Database, jobs: Jobs, settings: Settings) -> None:
    """Let these jobs write and send mails."""
    sender = Sender(database, settings)
    jobs.handler(SEND, sender.send)
    jobs.handler(RESEND, sender.resend)

    def forgotten(arguments: Mapping[str, Any]) -> None:
        with database.transaction() as db:
            answer_forgotten(db, Mails(db, jobs, settings), arguments)

    jobs.handler(FORGOTTEN, forgotten)


def _forget_expired(database: Database) -> None:
    with database.transaction() as db:
        for table in (RefreshToken, OneTimeToken, ExternalLogin):
            db.execute(delete(table).where(table.expires_at < func.now()))
        db.execute(delete(LoginFailure).where(LoginFailure.occurred_at < func.now() - WINDOW))
        forget_revocations(db)
        forget_mails(db)


if __name__ == "__main__":
    build(Settings()).main()
