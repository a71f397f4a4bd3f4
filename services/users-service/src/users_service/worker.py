"""`python -m users_service.worker`: sends events and mails, runs jobs, deletes expired rows."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from sqlalchemy import delete, func

from cogniflow_kit.jobs import Jobs, Schedule
from cogniflow_kit.sql.database import Database
from cogniflow_kit.sql.outbox import SqlOutbox
from cogniflow_kit.worker import Worker
from users_service.accounts.passwords import FORGOTTEN_JOB, answer_forgotten
from users_service.keys.service import delete_expired_revocations
from users_service.login.rate_limits import WINDOW
from users_service.mail.delivery import RESEND_JOB, MailSender
from users_service.mail.service import SEND_JOB, MailWriter, delete_expired_mails
from users_service.privacy.jobs import SCHEDULES, register_privacy_jobs
from users_service.settings import Settings
from users_service.tables import ExternalLogin, LoginFailure, OneTimeToken, RefreshToken

DELETE_EXPIRED_JOB = "forget_expired"


def build_worker(settings: Settings) -> Worker:
    database = Database(settings.database_url.get_secret_value(), application="users-worker")
    jobs = Jobs(database, settings.redis_url.get_secret_value(), settings.schema_name)
    jobs.handler(DELETE_EXPIRED_JOB, lambda _: delete_expired(database))
    register_mail_jobs(database, jobs, settings)
    register_privacy_jobs(database, jobs, settings)
    return Worker(
        settings,
        database,
        jobs,
        outboxes=[SqlOutbox(database)],
        schedules=[
            Schedule(DELETE_EXPIRED_JOB, timedelta(hours=1)),
            Schedule(RESEND_JOB, timedelta(minutes=15)),
            *SCHEDULES,
        ],
    )


def register_mail_jobs(database: Database, jobs: Jobs, settings: Settings) -> None:
    """Add the handlers that write and send mails to `jobs`."""
    sender = MailSender(database, settings)
    jobs.handler(SEND_JOB, sender.send)
    jobs.handler(RESEND_JOB, sender.resend)

    def forgotten(arguments: Mapping[str, Any]) -> None:
        with database.transaction() as db:
            answer_forgotten(db, MailWriter(db, jobs, settings), arguments)

    jobs.handler(FORGOTTEN_JOB, forgotten)


def delete_expired(database: Database) -> None:
    """Job: delete expired tokens, failed attempts, revocations and mails."""
    with database.transaction() as db:
        for table in (RefreshToken, OneTimeToken, ExternalLogin):
            db.execute(delete(table).where(table.expires_at < func.now()))
        db.execute(delete(LoginFailure).where(LoginFailure.occurred_at < func.now() - WINDOW))
        delete_expired_revocations(db)
        delete_expired_mails(db)


if __name__ == "__main__":
    build_worker(Settings()).main()
