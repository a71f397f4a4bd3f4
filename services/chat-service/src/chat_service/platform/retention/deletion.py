"""The retention job: deletes what is past its retention time, a few program sessions a transaction.

A run that breaks off leaves whole batches done; the next run continues.
"""

from collections.abc import Callable
from dataclasses import asdict, dataclass
from time import monotonic
from typing import Any, cast
from uuid import UUID

import structlog
from sqlalchemy import CursorResult, text
from sqlalchemy.orm import Session

from chat_service.fault_points import reach
from chat_service.platform.retention.partitions import archives
from chat_service.platform.retention.repository import (
    ADD_COUNT,
    DELETE_ASSIGNMENTS,
    DELETE_DETECTIONS,
    DELETE_OLD_RUNS,
    DELETE_SESSIONS,
    FINISH_RUN,
    INSERT_RUN,
    LOCK_SESSIONS,
    LOCK_TRANSCRIPTS,
    OF_PROGRAM_SESSIONS,
    REMOVE_TRANSCRIPTS,
    STILL_DUE_SESSIONS,
    STILL_DUE_TRANSCRIPTS,
)
from chat_service.platform.settings.definitions import (
    ANONYMOUS_DAYS,
    DETECTIONS_DAYS,
    OPEN_REVIEWS_DAYS,
    TRANSCRIPT,
    Transcript,
)
from chat_service.platform.settings.reader import SettingsReader
from cogniflow_kit.ids import new_id
from cogniflow_kit.sql.database import Database

log = structlog.stdlib.get_logger(__name__)

BATCH = 20
"""Program sessions a transaction. Participants of these sessions wait for the batch, so it is small."""
_MAX_RUN_S = 200.0
"""Less than the lease of the job (five minutes). The next run does the rest."""


@dataclass(frozen=True)
class RetentionPolicy:
    """The installation's retention times; a program may set its own.

    `open_reviews_days`: how long at most an open review keeps its detection,
    and the detection its program session.
    """

    sessions_days: int
    detections_days: int
    open_reviews_days: int
    transcript: Transcript

    @classmethod
    def from_settings(cls, settings_reader: SettingsReader) -> "RetentionPolicy":
        """Read the present settings. Fails when it cannot, because a default might delete too much."""
        settings_reader.refresh()
        return cls(
            sessions_days=settings_reader.get(ANONYMOUS_DAYS),
            detections_days=settings_reader.get(DETECTIONS_DAYS),
            open_reviews_days=settings_reader.get(OPEN_REVIEWS_DAYS),
            transcript=settings_reader.get(TRANSCRIPT),
        )

    def parameters(self) -> dict[str, Any]:
        return asdict(self)


Deletion = Callable[[Session, RetentionPolicy, int], tuple[int, int]]
"""Deletes one batch. Returns how many rows were due at the first look, and how many it deleted."""


def delete_expired(database: Database, settings_reader: SettingsReader) -> None:
    """Delete what is due by the present settings. Fails during an outage; the job is then repeated."""
    run_deletion(database, RetentionPolicy.from_settings(settings_reader))


def run_deletion(database: Database, policy: RetentionPolicy, *, batch: int = BATCH) -> dict[str, int]:
    """Run once. Returns how many sessions, transcripts and detections were deleted."""
    run_id, until = new_id(), monotonic() + _MAX_RUN_S
    with database.transaction() as db:
        db.execute(DELETE_OLD_RUNS)
        db.execute(INSERT_RUN, {"run_id": run_id})
    deletions: dict[str, Deletion] = {
        "sessions": delete_sessions,
        "transcripts": remove_transcripts,
        "detections": delete_detections,
    }
    for kind, delete in deletions.items():
        while monotonic() < until and _delete_batch(database, policy, batch, run_id, kind, delete):
            reach("cleared")
    with database.transaction() as db:
        counts: dict[str, int] = db.scalar(FINISH_RUN, {"run_id": run_id}) or {}
    log.info("retention run ended", run_id=str(run_id), finished=monotonic() < until, **counts)
    return counts


def _delete_batch(
    database: Database, policy: RetentionPolicy, batch: int, run_id: UUID, kind: str, delete: Deletion
) -> bool:
    """Delete one batch and count it in the same transaction. Returns whether more may be due."""
    with database.transaction() as db:
        due, deleted = delete(db, policy, batch)
        if deleted:
            db.execute(ADD_COUNT, {"run_id": run_id, "kind": kind, "count": deleted})
        reach("clearing")
    return due > 0


def delete_sessions(db: Session, policy: RetentionPolicy, batch: int) -> tuple[int, int]:
    """Delete anonymous program sessions without recent activity, with all their rows."""
    locked = list(db.scalars(LOCK_SESSIONS, {**policy.parameters(), "batch": batch}))
    if not locked:
        return 0, 0
    due = db.execute(STILL_DUE_SESSIONS, {**policy.parameters(), "ids": locked}).all()
    db.execute(DELETE_SESSIONS, {"ids": [row.session_id for row in due]})
    db.execute(DELETE_ASSIGNMENTS, {"user_ids": [row.user_id for row in due]})
    return len(locked), len(due)


def remove_transcripts(db: Session, policy: RetentionPolicy, batch: int) -> tuple[int, int]:
    """Remove all text from completed program sessions. That they took place, and how, stays."""
    locked = list(db.scalars(LOCK_TRANSCRIPTS, {**policy.parameters(), "batch": batch}))
    if not locked:
        return 0, 0
    due = {"ids": list(db.scalars(STILL_DUE_TRANSCRIPTS, {**policy.parameters(), "ids": locked}))}
    for statement in REMOVE_TRANSCRIPTS:
        db.execute(statement, due)
    for table in archives(db):
        db.execute(text(f"DELETE FROM {table} {OF_PROGRAM_SESSIONS}"), due)  # noqa: S608 -- our own tables
    return len(locked), len(due["ids"])


def delete_detections(db: Session, policy: RetentionPolicy, batch: int) -> tuple[int, int]:
    """Delete risk detections with their reviews."""
    deleted = db.execute(DELETE_DETECTIONS, {**policy.parameters(), "batch": batch})
    count = cast(CursorResult[Any], deleted).rowcount
    return count, count
