"""The worker's side of privacy: archives, erasures, and what watches over both."""

import json
from collections.abc import Iterable, Mapping
from datetime import timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.orm import Session

from cogniflow_kit.jobs import Jobs, Schedule
from cogniflow_kit.sql.database import Database
from users_service.privacy.exports import EXPORT, ExportJob, forget_archives, unfinished
from users_service.privacy.ledger import Ledger
from users_service.privacy.others import other_services
from users_service.privacy.personal_data import personal_data
from users_service.privacy.pipeline import ERASE, ErasurePipeline, due, replay
from users_service.settings import Settings

FIND_OPEN = "find_open_privacy_work"
REPLAY = "replay_erasure_ledger"
SCHEDULES = (Schedule(FIND_OPEN, timedelta(minutes=1)), Schedule(REPLAY, timedelta(days=1)))

_IN_HAND = text(
    "SELECT arguments ->> :argument FROM jobs WHERE name = :name AND status IN ('queued', 'running')"
)


def handle_privacy(database: Database, jobs: Jobs, settings: Settings) -> None:
    """Let these jobs make archives and carry out erasures."""
    ledger = Ledger(settings.erasure_ledger)
    own, others = personal_data(database), other_services(settings)
    jobs.handler(EXPORT, ExportJob(database, {"users": own, **others}).run)
    jobs.handler(ERASE, ErasurePipeline(database, ledger, others, own).run)
    jobs.handler(REPLAY, lambda _: replay(database, ledger))

    def find_open(_: Mapping[str, Any]) -> None:
        with database.transaction() as db:
            forget_archives(db)
            _enqueue(db, jobs, EXPORT, "export_id", unfinished(db))
            _enqueue(db, jobs, ERASE, "request_id", due(db))

    jobs.handler(FIND_OPEN, find_open)


def _enqueue(db: Session, jobs: Jobs, name: str, argument: str, wanted: Iterable[UUID]) -> None:
    """One job for each that has none: a job is given up after some attempts, a wish is not."""
    in_hand = set(db.scalars(_IN_HAND, {"name": name, "argument": argument}))
    for wish in wanted:
        if str(wish) not in in_hand:
            jobs.enqueue(db, name, json.dumps({argument: str(wish)}))
