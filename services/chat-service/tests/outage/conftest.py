"""chat-service over a PostgreSQL of its own, which can be frozen and killed."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from pydantic import SecretStr
from sqlalchemy import text

from chat_service.app import create_app
from chat_service.prepare import prepare
from chat_service.settings import Settings
from cogniflow_dev.testing.postgres import OwnPostgres, own_postgres
from cogniflow_dev.testing.servers import serving
from cogniflow_dev.testing.tokens import TokenMint
from cogniflow_kit.sql.database import Database


@pytest.fixture(scope="module")
def postgres(tmp_path_factory: pytest.TempPathFactory) -> Iterator[OwnPostgres]:
    with own_postgres(tmp_path_factory.mktemp("postgres")) as server:
        yield server


@pytest.fixture
def lonely(settings: Settings, postgres: OwnPostgres, tmp_path: Path) -> Settings:
    """Settings for that PostgreSQL, and a spool."""
    url = SecretStr(postgres.url("chat"))
    changed = settings.model_copy(update={"database_url": url, "spool_dir": tmp_path / "spool"})
    prepare(changed)
    return changed


@pytest.fixture
def serve(lonely: Settings, tokens: TokenMint) -> Iterator[Callable[[], Any]]:
    """Starts the service in this process, again and again if need be."""

    def start() -> Any:
        return serving(create_app(lonely, keys=tokens.keys))

    return start


@pytest.fixture
def api(serve: Callable[[], Any], mongo: Any) -> Iterator[httpx.Client]:
    limits = httpx.Limits(max_connections=50, max_keepalive_connections=50)
    with serve() as url, httpx.Client(base_url=url, timeout=10, limits=limits) as client:
        yield client


@pytest.fixture
def rows(lonely: Settings) -> Iterator[Callable[..., list[tuple[Any, ...]]]]:
    """What a statement finds in that PostgreSQL."""
    database = Database(lonely.database_url.get_secret_value(), application="tests")

    def read(statement: str, **values: Any) -> list[tuple[Any, ...]]:
        with database.transaction() as session:
            return [tuple(row) for row in session.execute(text(statement), values)]

    yield read
    database.close()
