"""Months of messages: each is a partition of its own, which should be there before its first row."""

from collections.abc import Iterable, Iterator
from datetime import UTC, date, datetime

import structlog

from chat_service.platform.retention.partitions import MessagesBusy, ensure_months, persistently
from cogniflow_kit.sql.database import Database
from legacy_import.records import BotRecords, Position
from legacy_import.sources import Source

log = structlog.stdlib.get_logger(__name__)


def prepare_months(database: Database, source: Source, now: datetime) -> None:
    """In transactions of their own: making a partition holds up everybody who writes messages."""
    for month in sorted({moment.astimezone(UTC).date().replace(day=1) for moment in _moments(source, now)}):
        _prepare(database, month)


def _prepare(database: Database, month: date) -> None:
    try:
        persistently(database, lambda session: ensure_months(session, month, month))
    except MessagesBusy:
        # The default partition takes the rows; they move once their month is made.
        log.warning("month not partitioned", month=month.isoformat())


def _moments(source: Source, now: datetime) -> Iterator[datetime]:
    yield now
    yield from (moment for moment in _told(source) if moment is not None)


def _told(source: Source) -> Iterable[datetime | None]:
    match source.content:
        case BotRecords(sessions=sessions):
            for found in sessions.values():
                yield from (row.values["at"] for row in found.messages)
                if found.session is not None:
                    yield from (found.session.values[name] for name in ("created_at", "last_activity"))
        case list(records):
            for record in records:
                yield record.last_active if isinstance(record, Position) else record.at
