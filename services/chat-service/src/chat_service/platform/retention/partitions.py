"""The monthly partitions of conversation_messages: made before they are needed, cut off when they are old.

A month is one of UTC. What belongs to no partition is kept in the default
one, so that no message is ever refused; it moves once its month is made. A
month that was cut off stays as a table of its own, an archive: its rows
leave with their session and their person all the same.
"""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import date
from typing import TypeVar

from psycopg2.errors import DeadlockDetected, LockNotAvailable
from sqlalchemy import text
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session

from chat_service import tables
from cogniflow_kit.sql.database import Database

MESSAGES = "chat.conversation_messages"
DEFAULT = f"{MESSAGES}_default"
AHEAD = 3
"""How many months are made in advance."""

_LOCK_PATIENCE = "200ms"
"""Whoever reads or writes messages waits behind us no longer than this, and the work itself."""
_ATTEMPTS = 20
_PAUSE_S = 0.25
_COLUMNS = ", ".join(column.name for column in tables.ConversationMessage.__table__.columns)

_ONE_AT_A_TIME = text("SELECT pg_advisory_xact_lock(hashtext('cogniflow-months'), hashtext('chat'))")
_MONTHS = text(
    "SELECT relname FROM pg_class WHERE relnamespace = CAST('chat' AS regnamespace) AND relkind = 'r'"
    " AND relname ~ '^conversation_messages_y[0-9]{4}m[0-9]{2}$' AND relispartition = :attached"
    " ORDER BY relname"
)
_STRAY = text(
    "SELECT DISTINCT CAST(date_trunc('month', created_at AT TIME ZONE 'UTC') AS date) AS month"  # noqa: S608
    f" FROM ONLY {DEFAULT} WHERE created_at < CAST(:month AS timestamp) AT TIME ZONE 'UTC' ORDER BY month"
)
# In the order in which those who write take them. The parent as a whole: who had chosen the default
# partition for a row and then waits for that one alone is refused when it turns out to be another's.
_REFERRED = "chat.sessions, chat.weeks, chat.questions, chat.system_prompts"
_LOCKS = (
    text(f"LOCK TABLE {_REFERRED} IN SHARE ROW EXCLUSIVE MODE"),
    text(f"LOCK TABLE ONLY {MESSAGES} IN ACCESS EXCLUSIVE MODE"),
    text(f"LOCK TABLE ONLY {DEFAULT} IN ACCESS EXCLUSIVE MODE"),
)
_ARCHIVE = (
    "Cut off from conversation_messages. Kept as an archive; its rows leave with their session or person."
)

Outcome = TypeVar("Outcome")


class MessagesBusy(Exception):
    """Others kept the locks on the messages for long; nothing was changed, and it can wait."""


def ensure_months(session: Session, first: date, last: date) -> list[str]:
    """Make the partitions that these months lack; returns their names.

    Rows of such a month in the default partition move along. A month that
    was cut off stays so, its late rows stay in the default partition. Whoever
    reads or writes messages waits until the transaction ends, so it should be short.
    Raises OperationalError where a lock isn't to be had at once.
    """
    if not _missing(session, first, last):
        return []
    session.execute(_ONE_AT_A_TIME)
    missing = _missing(session, first, last)
    if missing:
        with _locked(session):
            for month in missing:
                _make(session, month)
    return [_name(month) for month in missing]


def detach_before(session: Session, month: date) -> list[str]:
    """Cut off the partitions of the months before this one; returns their names.

    Rows of such months in the default partition go the same way. Raises as
    `ensure_months` does.
    """
    session.execute(_ONE_AT_A_TIME)
    first_kept = _name(month)
    stray: list[date] = list(session.scalars(_STRAY, {"month": month.replace(day=1)}))
    old = [name for name in _tables(session, attached=True) if name < first_kept]
    if not old and not stray:
        return []
    with _locked(session):
        old = sorted({*old, *_sort_in(session, stray)})
        for name in old:
            session.execute(text(f"ALTER TABLE {MESSAGES} DETACH PARTITION chat.{name}"))
            session.execute(text(f"COMMENT ON TABLE chat.{name} IS '{_ARCHIVE}'"))
    return old


def archives(session: Session) -> list[str]:
    """The tables of the months that were cut off, the oldest first, with their schema."""
    return [f"chat.{name}" for name in _tables(session, attached=False)]


def open_months(database: Database, today: date) -> list[str]:
    """Make this month's partition and those of the next `AHEAD`; returns what was missing."""
    last = _following(today, AHEAD)
    return persistently(database, lambda session: ensure_months(session, today, last))


def persistently(database: Database, change: Callable[[Session], Outcome]) -> Outcome:
    """A short transaction, tried again while others hold the locks. Raises MessagesBusy at the end."""
    for _ in range(_ATTEMPTS):
        try:
            with database.transaction() as session:
                return change(session)
        except OperationalError as error:
            if not isinstance(error.orig, LockNotAvailable | DeadlockDetected):
                raise
        time.sleep(_PAUSE_S)
    raise MessagesBusy("others hold the locks on conversation_messages")


def months_before(today: date, months: int) -> date:
    """The first of the month so many months before this one."""
    return _following(today, -months)


def _missing(session: Session, first: date, last: date) -> list[date]:
    there = {*_tables(session, attached=True), *_tables(session, attached=False)}
    return [month for month in _range(first, last) if _name(month) not in there]


def _tables(session: Session, *, attached: bool) -> list[str]:
    return list(session.scalars(_MONTHS, {"attached": attached}))


def _make(session: Session, month: date) -> None:
    """Attached once it is filled: a new partition must find none of its rows in the default one."""
    name, since, until = f"chat.{_name(month)}", _moment(month), _moment(_following(month, 1))
    session.execute(text(f"CREATE TABLE {name} (LIKE {MESSAGES} INCLUDING DEFAULTS INCLUDING CONSTRAINTS)"))
    _move(session, month, name)
    session.execute(
        text(f"ALTER TABLE {MESSAGES} ATTACH PARTITION {name} FOR VALUES FROM ('{since}') TO ('{until}')")
    )


def _sort_in(session: Session, stray: list[date]) -> list[str]:
    """Move old rows out of the default partition; returns the partitions that were made for them."""
    cut_off = _tables(session, attached=False)
    made = []
    for month in stray:
        if _name(month) in cut_off:
            _move(session, month, f"chat.{_name(month)}")
        else:
            _make(session, month)
            made.append(_name(month))
    return made


def _move(session: Session, month: date, table: str) -> None:
    session.execute(
        text(
            f"WITH moved AS (DELETE FROM ONLY {DEFAULT} WHERE created_at >= '{_moment(month)}'"  # noqa: S608
            f" AND created_at < '{_moment(_following(month, 1))}' RETURNING *)"
            f" INSERT INTO {table} ({_COLUMNS}) SELECT {_COLUMNS} FROM moved"
        )
    )


@contextmanager
def _locked(session: Session) -> Iterator[None]:
    """Ask for the locks without having everybody else queue behind the question."""
    before = session.scalar(text("SELECT current_setting('lock_timeout')"))
    change = text("SELECT set_config('lock_timeout', :patience, true)")
    session.execute(change, {"patience": _LOCK_PATIENCE})
    for lock in _LOCKS:
        session.execute(lock)
    yield
    session.execute(change, {"patience": before})


def _range(first: date, last: date) -> Iterator[date]:
    month = first.replace(day=1)
    while month <= last:
        yield month
        month = _following(month, 1)


def _following(day: date, months: int) -> date:
    """The first of the month so many months later, or earlier."""
    years, month = divmod(day.year * 12 + day.month - 1 + months, 12)
    return date(years, month + 1, 1)


def _name(month: date) -> str:
    return f"conversation_messages_y{month.year:04}m{month.month:02}"


def _moment(day: date) -> str:
    return f"{day.isoformat()} 00:00:00+00"
