"""Months of messages: each is a partition of its own, which should be there before its first row."""

from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta

import structlog
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError

from chat_service.legacy.records import BotRecords, Position
from chat_service.legacy.sources import Source
from cogniflow_kit.sql.database import Database

log = structlog.stdlib.get_logger(__name__)

_IS_THERE = text("SELECT to_regclass('chat.' || :name) IS NOT NULL")


def prepare_months(database: Database, source: Source, now: datetime) -> None:
    """In transactions of their own: making a partition holds up everybody who writes messages."""
    for month in sorted({_month(moment) for moment in _moments(source, now)}):
        _prepare(database, month)


def _prepare(database: Database, month: datetime) -> None:
    name = f"conversation_messages_y{month.year}m{month.month:02}"
    until = _month(month + timedelta(days=31))
    make = (
        f"CREATE TABLE chat.{name} PARTITION OF chat.conversation_messages"
        f" FOR VALUES FROM ('{month.isoformat()}') TO ('{until.isoformat()}')"
    )
    try:
        with database.transaction() as session:
            if not session.scalar(_IS_THERE, {"name": name}):
                session.execute(text(make))
    except IntegrityError:
        # The default partition has rows of this month already, and takes the new ones as well.
        log.warning("month not partitioned", month=name)


def _month(moment: datetime) -> datetime:
    return moment.astimezone(UTC).replace(day=1, hour=0, minute=0, second=0, microsecond=0)


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
