"""Files of the older systems, and imports of them into a real database."""

import json
import os
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import httpx
import pytest
from pydantic import SecretStr
from sqlalchemy import text

from chat_service.app import create_app
from chat_service.bootstrap import bootstrap
from chat_service.programs.content.loader import publish_folder
from chat_service.settings import Settings
from cogniflow_dev.testing.databases import committed_database
from cogniflow_dev.testing.environments import ServiceEnvironments
from cogniflow_dev.testing.servers import serving
from cogniflow_dev.testing.tokens import TokenMint
from cogniflow_kit.sql.database import Database
from legacy_import.apply.accounts import read_accounts
from legacy_import.apply.run import Import
from legacy_import.apply.sessions import Options
from legacy_import.ledger import Ledger
from legacy_import.sources import Source, SourceReader
from legacy_import.week_modules.reader import Constants, read_constants
from legacy_import.week_modules.week import WeekReader


@pytest.fixture(scope="session")
def old_files() -> Path:
    return Path(__file__).parent / "data"


@pytest.fixture(scope="session")
def settings(service_environment: ServiceEnvironments) -> Settings:
    return Settings(**service_environment("chat", lambda values: bootstrap(Settings(**values))))


@pytest.fixture
def committing(settings: Settings) -> Iterator[Database]:
    """chat-service's database with the bundled programs; each import commits."""
    with committed_database(settings) as database:
        publish_folder(database, settings.content_dir / "programs")
        yield database


@pytest.fixture
def server(settings: Settings, tokens: TokenMint, committing: Database) -> Iterator[httpx.Client]:
    """A client of a running chat-service."""
    app = create_app(settings, keys=tokens.keys, database=committing)
    with serving(app) as url, httpx.Client(base_url=url, timeout=30) as client:
        yield client


@pytest.fixture
def read() -> Callable[..., list[Source]]:
    """Reads files into sources."""

    def read(*paths: Path, slug: str = "driven-legacy") -> list[Source]:
        return SourceReader(slug).read(paths)

    return read


@pytest.fixture
def read_one(tmp_path, read) -> Callable[..., Source]:
    """Reads one file with this content into its source."""

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
    """Reads a module; returns its week and its ledger."""

    def week(source: str, name: str = "week1_main.py") -> tuple[Any, Ledger]:
        ledger = Ledger()
        return WeekReader(name, read_constants(source), ledger).read(), ledger

    return week


@pytest.fixture
def run_import(committing, read) -> Callable[..., list[dict[str, Any]]]:
    """Applies files, or shows the result; returns the report of each source."""

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
    """Row counts of all tables that an import writes to."""
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
def process_environment(settings: Settings) -> Callable[..., dict[str, str]]:
    """The settings as environment variables of a process, and more variables."""

    def make(**more: str) -> dict[str, str]:
        values = {name: getattr(settings, name) for name in Settings.model_fields}
        shown = {
            name.upper(): str(value.get_secret_value() if isinstance(value, SecretStr) else value)
            for name, value in values.items()
            if value is not None
        }
        return {**os.environ, **shown, **more}

    return make


@pytest.fixture
def command(process_environment, committing) -> Callable[..., tuple[int, list[dict[str, Any]]]]:
    """Runs `python -m legacy_import`; returns its exit code and the printed events."""

    def command(*arguments: object, **environment: str) -> tuple[int, list[dict[str, Any]]]:
        done = subprocess.run(
            [sys.executable, "-m", "legacy_import", *map(str, arguments)],
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
