"""Deletes what is past its time, a few sessions a transaction. Whatever breaks off, the next run finishes."""

from collections.abc import Callable
from time import monotonic
from typing import Any, cast
from uuid import UUID

import structlog
from sqlalchemy import CursorResult, text
from sqlalchemy.orm import Session

from chat_service.fault_points import reach
from chat_service.platform.retention.partitions import archives
from chat_service.platform.retention.policy import Policy
from chat_service.platform.retention.statements import (
    BEGIN_RUN,
    COUNT,
    DELETE_DETECTIONS,
    DELETE_SESSIONS,
    END_RUN,
    FORGET_PARTICIPANTS,
    FORGET_RUNS,
    LOCK_SESSIONS,
    LOCK_TRANSCRIPTS,
    OF_SESSIONS,
    REMOVE_WORDS,
    STILL_DUE_SESSIONS,
    STILL_DUE_TRANSCRIPTS,
)
from cogniflow_kit.ids import new_id
from cogniflow_kit.sql.database import Database

log = structlog.stdlib.get_logger(__name__)

BATCH = 20
"""Small, since whoever goes on with one of these sessions waits for the batch."""
_TIME_S = 200.0
"""A run ends within its job's lease of five minutes; what is left is the next one's."""

Clear = Callable[[Session, Policy, int], tuple[int, int]]
"""How many were due, and how many of them were cleared up."""


def clear_up(database: Database, policy: Policy, *, batch: int = BATCH) -> dict[str, int]:
    """One run. Returns how many sessions, transcripts and detections went; `retention_runs` keeps it."""
    run_id, until = new_id(), monotonic() + _TIME_S
    with database.transaction() as session:
        session.execute(FORGET_RUNS)
        session.execute(BEGIN_RUN, {"run_id": run_id})
    kinds: dict[str, Clear] = {
        "sessions": delete_sessions,
        "transcripts": remove_transcripts,
        "detections": delete_detections,
    }
    for kind, clear in kinds.items():
        while monotonic() < until and _batch(database, policy, batch, run_id, kind, clear):
            reach("cleared")
    with database.transaction() as session:
        counts: dict[str, int] = session.scalar(END_RUN, {"run_id": run_id}) or {}
    log.info("cleared up", run_id=str(run_id), finished=monotonic() < until, **counts)
    return counts


def _batch(database: Database, policy: Policy, batch: int, run_id: UUID, kind: str, clear: Clear) -> bool:
    """Clear up some, and count them in the same transaction; whether there may be more."""
    with database.transaction() as session:
        due, cleared = clear(session, policy, batch)
        if cleared:
            session.execute(COUNT, {"run_id": run_id, "kind": kind, "count": cleared})
        reach("clearing")
    return due > 0


def delete_sessions(session: Session, policy: Policy, batch: int) -> tuple[int, int]:
    """Anonymous sessions without activity, with everything that belongs to them."""
    locked = list(session.scalars(LOCK_SESSIONS, {**policy.values(), "batch": batch}))
    if not locked:
        return 0, 0
    due = session.execute(STILL_DUE_SESSIONS, {**policy.values(), "ids": locked}).all()
    session.execute(DELETE_SESSIONS, {"ids": [row.session_id for row in due]})
    session.execute(FORGET_PARTICIPANTS, {"user_ids": [row.user_id for row in due]})
    return len(locked), len(due)


def remove_transcripts(session: Session, policy: Policy, batch: int) -> tuple[int, int]:
    """The words of completed sessions; that they took place, and how, stays."""
    locked = list(session.scalars(LOCK_TRANSCRIPTS, {**policy.values(), "batch": batch}))
    if not locked:
        return 0, 0
    due = {"ids": list(session.scalars(STILL_DUE_TRANSCRIPTS, {**policy.values(), "ids": locked}))}
    for statement in REMOVE_WORDS:
        session.execute(statement, due)
    for table in archives(session):
        session.execute(text(f"DELETE FROM {table} {OF_SESSIONS}"), due)  # noqa: S608 -- names of our tables
    return len(locked), len(due["ids"])


def delete_detections(session: Session, policy: Policy, batch: int) -> tuple[int, int]:
    """Detections, their reviews go along."""
    deleted = session.execute(DELETE_DETECTIONS, {**policy.values(), "batch": batch})
    count = cast(CursorResult[Any], deleted).rowcount
    return count, count
