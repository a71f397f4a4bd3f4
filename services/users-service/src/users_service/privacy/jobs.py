"""Registers the worker's jobs of exports and erasures, and starts the jobs that are due."""

import json
from collections.abc import Iterable, Mapping
from datetime import timedelta
from typing import Any
from uuid import UUID

from sqlalchemy.orm import Session

from cogniflow_kit.jobs import Jobs, Schedule
from cogniflow_kit.sql.database import Database
from users_service.privacy.erasure_job import ERASE_JOB, ErasureJob, replay_ledger
from users_service.privacy.erasure_ledger import ErasureLedger
from users_service.privacy.export_job import EXPORT_JOB, ExportJob, delete_old_archives, unfinished_exports
from users_service.privacy.personal_data import OWN_PART, other_services, own_personal_data
from users_service.privacy.repository import ErasureRepository, open_jobs
from users_service.settings import Settings

FIND_OPEN_JOB = "find_open_privacy_work"
REPLAY_JOB = "replay_erasure_ledger"
SCHEDULES = (Schedule(FIND_OPEN_JOB, timedelta(minutes=1)), Schedule(REPLAY_JOB, timedelta(days=1)))


def register_privacy_jobs(database: Database, jobs: Jobs, settings: Settings) -> None:
    """Add the handlers of exports and erasures to `jobs`."""
    ledger = ErasureLedger(settings.erasure_ledger)
    own, others = own_personal_data(database), other_services(settings)
    jobs.handler(EXPORT_JOB, ExportJob(database, {OWN_PART: own, **others}).run)
    jobs.handler(ERASE_JOB, ErasureJob(database, ledger, others, own).run)
    jobs.handler(REPLAY_JOB, lambda _: replay_ledger(database, ledger))

    def find_open(_: Mapping[str, Any]) -> None:
        with database.transaction() as db:
            delete_old_archives(db)
            _enqueue(db, jobs, EXPORT_JOB, "export_id", unfinished_exports(db))
            _enqueue(db, jobs, ERASE_JOB, "request_id", ErasureRepository(db).due())

    jobs.handler(FIND_OPEN_JOB, find_open)


def _enqueue(db: Session, jobs: Jobs, name: str, argument: str, ids: Iterable[UUID]) -> None:
    """Enqueue a job for each id that has none.

    A job fails for good after some attempts, but exports and erasures must go on.
    """
    queued = open_jobs(db, name, argument)
    for row_id in ids:
        if str(row_id) not in queued:
            jobs.enqueue(db, name, json.dumps({argument: str(row_id)}))
