"""Old files as their owners have them, and imports of them over a real database."""

import json
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text

from chat_service.legacy.apply.accounts import read_accounts
from chat_service.legacy.apply.options import Options
from chat_service.legacy.apply.run import Import
from chat_service.legacy.ledger import Ledger
from chat_service.legacy.modules.reader import Constants, read_constants
from chat_service.legacy.modules.week import WeekReader
from chat_service.legacy.sources import Reading, Source

DATA = Path(__file__).parent.parent / "data" / "legacy"


@pytest.fixture(scope="session")
def old_files() -> Path:
    return DATA


@pytest.fixture
def read() -> Callable[..., list[Source]]:
    """The sources of some files."""

    def read(*paths: Path, slug: str = "driven-legacy") -> list[Source]:
        return Reading(slug).read(paths)

    return read


@pytest.fixture
def read_one(tmp_path, read) -> Callable[..., Source]:
    """The source of a file with this content."""

    def read_one(content: str | bytes, name: str = "file.txt") -> Source:
        path = tmp_path / name
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        (source,) = read(path)
        return source

    return read_one


@pytest.fixture
def constants() -> Callable[[str], Constants]:
    return read_constants


@pytest.fixture
def week() -> Callable[..., Any]:
    """The week of a module, and its account."""

    def week(source: str, name: str = "week1_main.py") -> tuple[Any, Ledger]:
        ledger = Ledger()
        return WeekReader(name, read_constants(source), ledger).read(), ledger

    return week


@pytest.fixture
def run_import(committing, read) -> Callable[..., list[dict[str, Any]]]:
    """Applies files (or shows what would happen), and returns what the report says of each source."""

    def run(
        *paths: Path, apply: bool = True, accounts_csv: Path | None = None, **options: Any
    ) -> list[dict[str, Any]]:
        if accounts_csv is not None:
            ledger = Ledger()
            accounts = read_accounts(accounts_csv, ledger)
            options |= {"accounts": accounts, "accounts_file": accounts_csv, "accounts_ledger": ledger}
        work = Import(committing, Options(**options), lambda *_: None)
        sources = read(*paths)
        outcomes = [*work.apply(sources), *work.apply_accounts()] if apply else work.show(sources)
        return [outcome.as_json() for outcome in outcomes]

    return run


@pytest.fixture
def rows(committing) -> Callable[..., list[Any]]:
    """Rows of a statement, as dicts."""

    def rows(statement: str, **values: Any) -> list[dict[str, Any]]:
        with committing.transaction() as session:
            return [dict(row) for row in session.execute(text(statement), values).mappings()]

    return rows


@pytest.fixture
def everything(rows) -> Callable[[], dict[str, int]]:
    """How many rows each table has that an import writes to."""
    tables = (
        *("programs", "program_versions", "weeks", "questions", "system_prompts", "week_content_blocks"),
        *("sessions", "turns", "user_progress", "conversation_states", "question_completions"),
        *("conversation_messages", "user_answers", "nova_responses", "user_responses", "risk_detections"),
        *("risk_reviews", "session_summaries", "intent_classifications", "outbox", "legacy_imports"),
    )

    def everything() -> dict[str, int]:
        return {table: rows(f"SELECT count(*) AS n FROM chat.{table}")[0]["n"] for table in tables}

    return everything


@pytest.fixture
def command(process_environment, committing) -> Callable[..., tuple[int, list[dict[str, Any]]]]:
    """Runs the module as a process: its exit code, and the lines it printed."""

    def command(*arguments: object, **environment: str) -> tuple[int, list[dict[str, Any]]]:
        done = subprocess.run(
            [sys.executable, "-m", "chat_service.legacy", *map(str, arguments)],
            env=process_environment(**environment),
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        assert "Traceback" not in done.stderr + done.stdout, done.stderr
        return done.returncode, [json.loads(line) for line in done.stdout.splitlines()]

    return command


@pytest.fixture(scope="session")
def sqlite_bytes(tmp_path_factory, old_files) -> bytes:
    """The bot's database as a file."""
    file = tmp_path_factory.mktemp("sqlite") / "chat.db"
    with closing(sqlite3.connect(file)) as connection:
        connection.executescript((old_files / "chat_history.sql").read_text().replace("'system'", "'bot'"))
    return file.read_bytes()
