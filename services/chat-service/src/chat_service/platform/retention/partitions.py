"""Monthly partitions of conversation_messages: created in advance, detached when they are old.

Months are in UTC. A message of a month without a partition goes to the default
partition, so that no message is refused; it moves when the month's partition
is created. A detached month stays as a table of its own, an archive. Deletion
of a program session and erasure of a person reach archives, too.
"""

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import date
from typing import Any, TypeVar, cast
from uuid import UUID

import structlog
from psycopg2.errors import DeadlockDetected, LockNotAvailable
from sqlalchemy import CursorResult, text
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session

from chat_service import tables
from chat_service.platform.settings.definitions import KEEP_MONTHS
from chat_service.platform.settings.reader import SettingsReader
from cogniflow_kit.ids import utc_now
from cogniflow_kit.personal_data import Key
from cogniflow_kit.sql.database import Database

log = structlog.stdlib.get_logger(__name__)

MESSAGES = "chat.conversation_messages"
DEFAULT = f"{MESSAGES}_default"
MONTHS_AHEAD = 3

_LOCK_TIMEOUT = "200ms"
"""Readers and writers of messages queue behind the lock request for at most this time."""
_LOCK_ATTEMPTS = 20
_PAUSE_S = 0.25
_COLUMNS = ", ".join(column.name for column in tables.ConversationMessage.__table__.columns)

_LOCK_MONTHS = text("SELECT pg_advisory_xact_lock(hashtext('cogniflow-months'), hashtext('chat'))")
_TABLES = text(
    "SELECT relname FROM pg_class WHERE relnamespace = CAST('chat' AS regnamespace) AND relkind = 'r'"
    " AND relname ~ '^conversation_messages_y[0-9]{4}m[0-9]{2}$' AND relispartition = :attached"
    " ORDER BY relname"
)
_MISPLACED_MONTHS = text(
    "SELECT DISTINCT CAST(date_trunc('month', created_at AT TIME ZONE 'UTC') AS date) AS month"  # noqa: S608
    f" FROM ONLY {DEFAULT} WHERE created_at < CAST(:month AS timestamp) AT TIME ZONE 'UTC' ORDER BY month"
)
# In the order in which writers take these locks, to avoid deadlocks. The parent table is locked as well:
# a writer that has already chosen the default partition for its row, and waits only for that partition,
# would fail when the row then belongs to the new one.
_LOCKS = (
    text("LOCK TABLE chat.sessions IN SHARE ROW EXCLUSIVE MODE"),
    text(f"LOCK TABLE ONLY {MESSAGES} IN ACCESS EXCLUSIVE MODE"),
    text(f"LOCK TABLE ONLY {DEFAULT} IN ACCESS EXCLUSIVE MODE"),
)
_ARCHIVE = (
    "Cut off from conversation_messages. Kept as an archive; its rows leave with their session or person."
)

Result = TypeVar("Result")


class MessagesLocked(Exception):
    """Other transactions held the locks on conversation_messages for too long. Nothing was changed."""

    def __init__(self) -> None:
        super().__init__("other transactions hold the locks on conversation_messages")


def ensure_months(db: Session, first: date, last: date) -> list[str]:
    """Create the missing partitions from `first` to `last`, and return their names.

    Moves rows of these months out of the default partition. Detached months
    are not created again; their late rows stay in the default partition.
    Readers and writers of messages wait until the transaction ends, so keep it
    short.
    Raises: OperationalError (a lock was not available at once)
    """
    if not _missing(db, first, last):
        return []
    db.execute(_LOCK_MONTHS)
    missing = _missing(db, first, last)
    if missing:
        with _locked(db):
            for month in missing:
                _create_partition(db, month)
    return [_partition(month) for month in missing]


def detach_before(db: Session, month: date) -> list[str]:
    """Detach the partitions of the months before `month`, and return their names.

    Rows of these months in the default partition move to the archives.
    Raises: OperationalError (a lock was not available at once)
    """
    db.execute(_LOCK_MONTHS)
    first_kept = _partition(month)
    misplaced: list[date] = list(db.scalars(_MISPLACED_MONTHS, {"month": month.replace(day=1)}))
    old = [name for name in _tables(db, attached=True) if name < first_kept]
    if not old and not misplaced:
        return []
    with _locked(db):
        old = sorted({*old, *_archive_misplaced(db, misplaced)})
        for name in old:
            db.execute(text(f"ALTER TABLE {MESSAGES} DETACH PARTITION chat.{name}"))
            db.execute(text(f"COMMENT ON TABLE chat.{name} IS '{_ARCHIVE}'"))
    return old


def archives(db: Session) -> list[str]:
    """Return the tables of detached months, oldest first, with their schema."""
    return [f"chat.{name}" for name in _tables(db, attached=False)]


def create_next_months(database: Database, today: date) -> list[str]:
    """Create missing partitions for this month and the next three, and return their names.

    Raises: MessagesLocked
    """
    last = _first_of_month(today, MONTHS_AHEAD)
    return retry_while_locked(database, lambda db: ensure_months(db, today, last))


def retry_while_locked(database: Database, change: Callable[[Session], Result]) -> Result:
    """Run a short transaction, again while others hold the locks: 20 times, about 5 seconds in all.

    Raises: MessagesLocked
    """
    for _ in range(_LOCK_ATTEMPTS):
        try:
            with database.transaction() as db:
                return change(db)
        except OperationalError as error:
            if not isinstance(error.orig, LockNotAvailable | DeadlockDetected):
                raise
        time.sleep(_PAUSE_S)
    raise MessagesLocked


def maintain_months(database: Database, settings_reader: SettingsReader) -> None:
    """Create the next partitions, and detach those older than the setting `messages.keep_months`.

    Raises: MessagesLocked
    """
    settings_reader.refresh()
    today, months_kept = utc_now().date(), settings_reader.get(KEEP_MONTHS)
    created = create_next_months(database, today)
    detached = []
    if months_kept:
        oldest = _first_of_month(today, -months_kept)
        detached = retry_while_locked(database, lambda db: detach_before(db, oldest))
    if created or detached:
        log.info("monthly partitions changed", created=created, detached=detached)


def _missing(db: Session, first: date, last: date) -> list[date]:
    existing = {*_tables(db, attached=True), *_tables(db, attached=False)}
    return [month for month in _months(first, last) if _partition(month) not in existing]


def _tables(db: Session, *, attached: bool) -> list[str]:
    return list(db.scalars(_TABLES, {"attached": attached}))


def _create_partition(db: Session, month: date) -> None:
    """Create and fill the table, then attach it.

    PostgreSQL refuses to attach a partition whose rows are in the default one.
    """
    name, since, until = (
        f"chat.{_partition(month)}",
        _utc_timestamp(month),
        _utc_timestamp(_first_of_month(month, 1)),
    )
    db.execute(text(f"CREATE TABLE {name} (LIKE {MESSAGES} INCLUDING DEFAULTS INCLUDING CONSTRAINTS)"))
    _move_from_default(db, month, name)
    db.execute(
        text(f"ALTER TABLE {MESSAGES} ATTACH PARTITION {name} FOR VALUES FROM ('{since}') TO ('{until}')")
    )


def _archive_misplaced(db: Session, misplaced: list[date]) -> list[str]:
    """Move rows of old months out of the default partition, and return the partitions created for them."""
    archived = _tables(db, attached=False)
    created = []
    for month in misplaced:
        if _partition(month) in archived:
            _move_from_default(db, month, f"chat.{_partition(month)}")
        else:
            _create_partition(db, month)
            created.append(_partition(month))
    return created


def _move_from_default(db: Session, month: date, table: str) -> None:
    db.execute(
        text(
            f"WITH moved AS (DELETE FROM ONLY {DEFAULT} WHERE created_at >= '{_utc_timestamp(month)}'"  # noqa: S608
            f" AND created_at < '{_utc_timestamp(_first_of_month(month, 1))}' RETURNING *)"
            f" INSERT INTO {table} ({_COLUMNS}) SELECT {_COLUMNS} FROM moved"
        )
    )


@contextmanager
def _locked(db: Session) -> Iterator[None]:
    """Take the locks, or give up before others queue behind the request for long."""
    before = db.scalar(text("SELECT current_setting('lock_timeout')"))
    change = text("SELECT set_config('lock_timeout', :timeout, true)")
    db.execute(change, {"timeout": _LOCK_TIMEOUT})
    for lock in _LOCKS:
        db.execute(lock)
    yield
    db.execute(change, {"timeout": before})


def _months(first: date, last: date) -> Iterator[date]:
    month = first.replace(day=1)
    while month <= last:
        yield month
        month = _first_of_month(month, 1)


def _first_of_month(day: date, months: int) -> date:
    """Return the first day of the month that is `months` later than `day`, or earlier if negative."""
    year, month = divmod(day.year * 12 + day.month - 1 + months, 12)
    return date(year, month + 1, 1)


def _partition(month: date) -> str:
    return f"conversation_messages_y{month.year:04}m{month.month:02}"


def _utc_timestamp(day: date) -> str:
    return f"{day.isoformat()} 00:00:00+00"


# After a user claims an anonymous program session, archived messages still have the participant's id.
_OWNER = (
    "(t.user_id = :user_id OR t.session_id IN"
    " (SELECT session_id FROM chat.sessions WHERE user_id = :user_id))"
)


class ArchivedMessagesPersonalData:
    """Exports and erases messages in archives.

    Has to come after conversation_messages: a month that is detached during
    an erasure is then erased here.
    """

    store = "postgresql.conversation_messages"

    def __init__(self, database: Database) -> None:
        self._database = database

    def read(self, user_id: UUID, after: Key | None, limit: int) -> list[tuple[Key, Mapping[str, Any]]]:
        """A key is the name of the archive and the id of the message."""
        first, message_id = after or ("", "")
        found: list[tuple[Key, Mapping[str, Any]]] = []
        with self._database.transaction() as db:
            for table in archives(db):
                if table < first:
                    continue
                rows = db.execute(
                    text(
                        'SELECT t.message_id::text COLLATE "C" AS id, to_jsonb(t) AS record'  # noqa: S608
                        f' FROM {table} t WHERE {_OWNER} AND t.message_id::text COLLATE "C" > :after'
                        " ORDER BY id LIMIT :limit"
                    ),
                    {
                        "user_id": user_id,
                        "after": message_id if table == first else "",
                        "limit": limit - len(found),
                    },
                )
                found += [([table, row.id], row.record) for row in rows]
                if len(found) == limit:
                    break
        return found

    def erase(self, user_id: UUID) -> int:
        with self._database.transaction() as db:
            return sum(
                cast(
                    CursorResult[Any],
                    db.execute(
                        text(f"DELETE FROM {table} t WHERE {_OWNER}"),  # noqa: S608
                        {"user_id": user_id},
                    ),
                ).rowcount
                for table in archives(db)
            )
