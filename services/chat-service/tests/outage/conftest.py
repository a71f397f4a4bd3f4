"""chat-service over a PostgreSQL of its own, which can be frozen and killed."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest
from pydantic import SecretStr
from sqlalchemy import text

from chat_service.app import create_app
from chat_service.bootstrap import bootstrap
from chat_service.settings import Settings
from cogniflow_dev.ports import free_ports
from cogniflow_dev.testing.postgres import OwnPostgres, own_postgres
from cogniflow_dev.testing.servers import serving
from cogniflow_dev.testing.tokens import TokenMint
from cogniflow_kit.sql.database import Database

Rows = Callable[..., list[tuple[Any, ...]]]


@pytest.fixture(scope="module")
def postgres(tmp_path_factory: pytest.TempPathFactory) -> Iterator[OwnPostgres]:
    with own_postgres(tmp_path_factory.mktemp("postgres")) as server:
        yield server


@pytest.fixture
def spool_dir(tmp_path: Path) -> Path:
    return tmp_path / "spool"


@pytest.fixture
def lonely(settings: Settings, postgres: OwnPostgres, spool_dir: Path) -> Settings:
    """Settings for that PostgreSQL, and a spool."""
    url = SecretStr(postgres.url("chat"))
    changed = settings.model_copy(update={"database_url": url, "spool_dir": spool_dir})
    bootstrap(changed)
    return changed


@pytest.fixture
def serve(lonely: Settings, tokens: TokenMint) -> Callable[..., Any]:
    """Starts the service in this process, again and again if need be."""

    def start(**changes: Any) -> Any:
        return serving(create_app(lonely.model_copy(update=changes), keys=tokens.keys))

    return start


@pytest.fixture
def api(serve: Callable[[], Any], mongo: Any) -> Iterator[httpx.Client]:
    with serve() as url, httpx.Client(base_url=url, timeout=10) as client:
        yield client


@dataclass
class Service:
    """chat-service as a process of its own."""

    url: str
    process: subprocess.Popen[bytes]

    def client(self) -> httpx.Client:
        return httpx.Client(base_url=self.url, timeout=10)

    def await_alive(self) -> None:
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline and self.process.poll() is None:
            with suppress(httpx.TransportError):
                if httpx.get(f"{self.url}/health/live").status_code == 200:
                    return
            time.sleep(0.1)
        raise AssertionError("the service did not come up")

    def await_killed(self, fault: str) -> None:
        """It must have died of the fault that was armed."""
        assert self.process.wait(timeout=30) == -signal.SIGKILL, f"the fault {fault} never fired"


@pytest.fixture
def process(lonely: Settings, spool_dir: Path, platform: Any, mongo: Any) -> Callable[..., Any]:
    """Runs the service as a process; variables can be given."""

    @contextmanager
    def run(**more: str) -> Iterator[Service]:
        (port,) = free_ports(1)
        values = {name: getattr(lonely, name) for name in Settings.model_fields}
        shown = {
            name.upper(): str(value.get_secret_value() if isinstance(value, SecretStr) else value)
            for name, value in values.items()
            if value is not None
        }
        child = subprocess.Popen(
            [sys.executable, "-m", "chat_service"],
            env={**os.environ, **shown, "HOST": "127.0.0.1", "PORT": str(port), **more},
            stdout=(spool_dir.parent / "service.log").open("ab"),
        )
        service = Service(f"http://127.0.0.1:{port}", child)
        try:
            service.await_alive()
            yield service
        finally:
            child.kill()
            child.wait()

    return run


@pytest.fixture
def rows(lonely: Settings) -> Iterator[Rows]:
    """What a statement finds in that PostgreSQL."""
    database = Database(lonely.database_url.get_secret_value(), application="tests")

    def read(statement: str, **values: Any) -> list[tuple[Any, ...]]:
        with database.transaction() as session:
            return [tuple(row) for row in session.execute(text(statement), values)]

    yield read
    database.close()
