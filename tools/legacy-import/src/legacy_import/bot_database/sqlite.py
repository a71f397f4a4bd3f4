"""Opens untrusted SQLite data for reading.

A file is copied first with its journal, so the original is not even locked. A
dump is loaded into memory without its triggers. SQLite asks the authorizer
before each step: attaching files, loading extensions, pragmas, virtual tables
and all but harmless functions are refused; a statement that runs too long is
stopped.
"""

import re
import shutil
import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from itertools import takewhile
from pathlib import Path
from tempfile import TemporaryDirectory

from legacy_import.ledger import Ledger

_TOKEN = re.compile(
    r"'(?:[^']|'')*'"
    r'|"(?:[^"]|"")*"'
    r"|`[^`]*`"
    r"|\[[^\]]*\]"
    r"|--[^\n]*"
    r"|/\*.*?\*/"
    r"|;",
    re.DOTALL,
)
_WORDS = frozenset(
    {
        *("ALTER", "ANALYZE", "ATTACH", "BEGIN", "COMMIT", "CREATE", "DATABASE", "DELETE", "DETACH", "DROP"),
        *("END", "FROM", "INDEX", "INSERT", "INTO", "OR", "PRAGMA", "RECURSIVE", "REINDEX", "RELEASE"),
        *("REPLACE", "ROLLBACK", "SAVEPOINT", "SELECT", "SET", "TABLE", "TEMP", "TEMPORARY", "TRANSACTION"),
        *("TRIGGER", "UNIQUE", "UPDATE", "VACUUM", "VIEW", "VIRTUAL", "WITH"),
    }
)
_TRIGGER = re.compile(r"\s*CREATE\s+(TEMP(ORARY)?\s+)?TRIGGER\b", re.IGNORECASE)
_COMMENT = re.compile(r"\A(?:\s+|--[^\n]*(?:\n|\Z)|/\*.*?\*/)+", re.DOTALL)


@dataclass(frozen=True)
class Statement:
    line: int
    text: str

    @property
    def keywords(self) -> str:
        """The first SQL keywords of the statement, at most two, for the report.

        Nothing else is shown: after a missing quote, the text may be a person's message.
        """
        words = [word.upper() for word in re.findall(r"[A-Za-z]+", self.text[:60])[:2]]
        return " ".join(takewhile(_WORDS.__contains__, words)) or "something that is no statement"

    @property
    def makes_trigger(self) -> bool:
        return _TRIGGER.match(self.text) is not None


def statements(sql: str) -> Iterator[Statement]:
    """Split a dump in one pass. The last statement may lack its semicolon."""
    start, line = 0, 1
    for token in _TOKEN.finditer(sql):
        if token[0] != ";":
            continue
        text = sql[start : token.end()]
        if _TRIGGER.match(_COMMENT.sub("", text)) and not sqlite3.complete_statement(text):
            continue  # a semicolon inside BEGIN ... END
        yield from _statement(text, line)
        line += text.count("\n")
        start = token.end()
    yield from _statement(sql[start:], line)


def _statement(text: str, line: int) -> Iterator[Statement]:
    comment = _COMMENT.match(text)
    if comment is not None:
        line += comment[0].count("\n")
        text = text[comment.end() :]
    if text.strip(" \t\r\n;"):
        yield Statement(line, text)


MAGIC = b"SQLite format 3\x00"
SECONDS = 120.0
"""Time limit for loading a dump, and for reading a file."""

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
def open_file(path: Path) -> Iterator[sqlite3.Connection]:
    """Open a private copy for reading. Raises: sqlite3.Error, if it is no database."""
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
            _allow_reads_only(connection)
            yield connection


@contextmanager
def open_dump(sql: str, place: str, ledger: Ledger) -> Iterator[sqlite3.Connection]:
    """Load a dump into memory for reading. Statements count as records; failing ones are reported by line."""
    with closing(sqlite3.connect(":memory:", isolation_level=None)) as connection:
        # A row that violates a CHECK is skipped by itself later, instead of failing its whole INSERT.
        connection.execute("PRAGMA ignore_check_constraints = ON")
        connection.execute("PRAGMA trusted_schema = OFF")
        connection.execute(f"PRAGMA max_page_count = {_MAX_PAGES}")
        connection.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, _MAX_VALUE)
        connection.setlimit(sqlite3.SQLITE_LIMIT_ATTACHED, 0)
        _authorize(connection, _LOADING)
        for statement in statements(sql):
            ledger.count_read("sql_statements")
            _execute(connection, statement, place, ledger)
        _allow_reads_only(connection)
        yield connection


def _execute(connection: sqlite3.Connection, statement: Statement, place: str, ledger: Ledger) -> None:
    here = f"{place}:{statement.line}"
    first = statement.keywords.partition(" ")[0]
    if first in _TRANSACTION or statement.makes_trigger:
        if first == "ROLLBACK":
            ledger.warn(
                here,
                "the dump ends with ROLLBACK, because SQLite met errors; its rows are imported",
            )
        ledger.count_imported("sql_statements")
        return
    try:
        connection.execute(statement.text)
    except (sqlite3.Error, sqlite3.Warning, ValueError) as error:
        denied = "not authorized" in str(error) or "authorization denied" in str(error)
        reason = "is not allowed" if denied else f"fails: {_error_summary(error)}"
        ledger.skip("sql_statements", here, f"{statement.keywords} {reason}")
        ledger.warn(here, f"{statement.keywords} {reason}")
    else:
        ledger.count_imported("sql_statements")


def _error_summary(error: Exception) -> str:
    """SQLite's message without the quoted text, which may be a person's message."""
    message = str(error)
    if message.startswith(("near ", "unrecognized token")):
        return "a syntax error"
    return (
        message if "constraint failed" in message else re.sub(r"(: | named ).*", "", message, flags=re.DOTALL)
    )


def _allow_reads_only(connection: sqlite3.Connection) -> None:
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
