"""Opens somebody's SQLite data without giving it a chance to do anything but be read.

A file is copied first, so that its owner's is not even locked, and a journal
left by a crash is taken along. A dump is loaded into memory, without its
triggers: its rows are what they were, and need nothing done to them. SQLite asks the
authorizer before each step: attaching files, loading extensions, pragmas,
virtual tables and all but harmless functions are refused, and a statement
that goes on for too long is stopped.
"""

import re
import shutil
import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from legacy_import.bot.statements import Statement, statements
from legacy_import.ledger import Ledger

MAGIC = b"SQLite format 3\x00"
SECONDS = 120.0
"""How long a dump may take to load, or a file to be read."""

_MAX_VALUE = 10_000_000
_MAX_PAGES = 500_000
_STEPS_BETWEEN_LOOKS = 100_000
_TRANSACTION = {"BEGIN", "COMMIT", "END", "ROLLBACK", "SAVEPOINT", "RELEASE", "PRAGMA"}
_FUNCTIONS = frozenset(
    {
        *("replace", "char", "unistr", "unistr_quote", "quote", "lower", "upper", "trim", "ltrim", "rtrim"),
        *("length", "substr", "substring", "coalesce", "ifnull", "nullif", "typeof", "abs", "round", "like"),
        *("date", "time", "datetime", "julianday", "strftime", "unixepoch", "json", "count", "max", "min"),
        *("current_timestamp", "current_date", "current_time"),
    }
)
_READING = {sqlite3.SQLITE_SELECT, sqlite3.SQLITE_READ}
_LOADING = _READING | {
    sqlite3.SQLITE_INSERT,
    sqlite3.SQLITE_UPDATE,
    sqlite3.SQLITE_DELETE,
    sqlite3.SQLITE_CREATE_TABLE,
    sqlite3.SQLITE_CREATE_INDEX,
    sqlite3.SQLITE_CREATE_VIEW,
    sqlite3.SQLITE_DROP_TABLE,
    sqlite3.SQLITE_DROP_INDEX,
    sqlite3.SQLITE_ALTER_TABLE,
    sqlite3.SQLITE_REINDEX,
    sqlite3.SQLITE_ANALYZE,
}


@contextmanager
def opened_file(path: Path) -> Iterator[sqlite3.Connection]:
    """A private copy, for reading. Raises sqlite3.Error when it is no database."""
    with TemporaryDirectory(prefix="cogniflow-legacy-") as folder:
        copy = Path(folder) / "copy.db"
        shutil.copyfile(path, copy)
        for suffix in ("-wal", "-journal"):
            beside = path.with_name(path.name + suffix)
            if beside.is_file():
                shutil.copyfile(beside, copy.with_name(copy.name + suffix))
        with closing(sqlite3.connect(copy)) as connection:
            connection.execute("PRAGMA trusted_schema = OFF")
            connection.execute("PRAGMA cell_size_check = ON")
            _only_read(connection)
            yield connection


@contextmanager
def opened_dump(sql: str, place: str, ledger: Ledger) -> Iterator[sqlite3.Connection]:
    """The dump's data in memory, for reading. Statements count; one that fails is reported by its line."""
    with closing(sqlite3.connect(":memory:", isolation_level=None)) as connection:
        # A row that breaks a rule is judged like any other, instead of taking its whole INSERT along.
        connection.execute("PRAGMA ignore_check_constraints = ON")
        connection.execute("PRAGMA trusted_schema = OFF")
        connection.execute(f"PRAGMA max_page_count = {_MAX_PAGES}")
        connection.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, _MAX_VALUE)
        connection.setlimit(sqlite3.SQLITE_LIMIT_ATTACHED, 0)
        _authorize(connection, _LOADING)
        for statement in statements(sql):
            ledger.read("sql_statements")
            _load(connection, statement, place, ledger)
        _only_read(connection)
        yield connection


def _load(connection: sqlite3.Connection, statement: Statement, place: str, ledger: Ledger) -> None:
    here = f"{place}:{statement.line}"
    first = statement.verb.partition(" ")[0]
    if first in _TRANSACTION or statement.makes_trigger:
        if first == "ROLLBACK":
            ledger.warn(here, "the dump takes everything back at its end: SQLite met errors when it wrote it")
        ledger.take("sql_statements")
        return
    try:
        connection.execute(statement.text)
    except (sqlite3.Error, sqlite3.Warning, ValueError) as error:
        denied = "not authorized" in str(error) or "authorization denied" in str(error)
        reason = "is not allowed" if denied else f"fails: {_plain(error)}"
        ledger.leave("sql_statements", here, f"{statement.verb} {reason}")
        ledger.warn(here, f"{statement.verb} {reason}")
    else:
        ledger.take("sql_statements")


def _plain(error: Exception) -> str:
    """What went wrong, without the words near which it did: they may be somebody's."""
    message = str(error)
    if message.startswith(("near ", "unrecognized token")):
        return "a syntax error"
    return (
        message if "constraint failed" in message else re.sub(r"(: | named ).*", "", message, flags=re.DOTALL)
    )


def _only_read(connection: sqlite3.Connection) -> None:
    connection.set_authorizer(None)
    connection.execute("PRAGMA query_only = ON")
    _authorize(connection, _READING)


def _authorize(connection: sqlite3.Connection, allowed: set[int]) -> None:
    deadline = time.monotonic() + SECONDS

    def too_long() -> int:
        return int(time.monotonic() > deadline)

    connection.set_progress_handler(too_long, _STEPS_BETWEEN_LOOKS)
    connection.set_authorizer(_authorizer(allowed))


def _authorizer(allowed: set[int]) -> Callable[..., int]:
    def authorize(action: int, _first: str | None, second: str | None, *_: str | None) -> int:
        if action == sqlite3.SQLITE_FUNCTION:
            return sqlite3.SQLITE_OK if (second or "").lower() in _FUNCTIONS else sqlite3.SQLITE_DENY
        return sqlite3.SQLITE_OK if action in allowed else sqlite3.SQLITE_DENY

    return authorize
