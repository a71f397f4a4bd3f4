"""A service of the tests' own, over real stores: it has things, and nothing else."""

import os
from collections.abc import Callable, Iterator
from contextlib import closing
from typing import Any, ClassVar
from uuid import uuid4

import psycopg2
import pytest
from fastapi import APIRouter, FastAPI
from fastapi.testclient import TestClient
from psycopg2.sql import SQL, Identifier
from sqlalchemy import Column, Integer, Table, Text, UniqueConstraint, Uuid, create_engine, text

from cogniflow_dev.stores import Stores
from cogniflow_dev.testing.databases import committed_database
from cogniflow_dev.testing.postgres import OwnPostgres, own_postgres
from cogniflow_dev.testing.tokens import TokenMint
from cogniflow_kit.application import create_application
from cogniflow_kit.identity import KeySource
from cogniflow_kit.mongo import Mongo
from cogniflow_kit.redis import RedisStore
from cogniflow_kit.settings import ServiceSettings
from cogniflow_kit.sql.database import Database
from cogniflow_kit.sql.tables import add_shared_tables, service_metadata
from cogniflow_kit.stores import Store

metadata = service_metadata("kit")
add_shared_tables(metadata)
Table(
    "things",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("name", Text, nullable=False),
    Column("count", Integer, nullable=False, server_default="1"),
    UniqueConstraint("name"),
)


class KitSettings(ServiceSettings):
    service: ClassVar[str] = "kit-service"
    schema_name: ClassVar[str] = "kit"


@pytest.fixture(scope="session")
def database_url(stores: Stores) -> str:
    """A database with the tables every service has, in the schema `kit`."""
    name = f"kit_{os.environ.get('PYTEST_XDIST_WORKER', 'main')}"
    with closing(psycopg2.connect(stores.postgres.admin_url("postgres"))) as admin:
        admin.autocommit = True
        with admin.cursor() as cursor:
            cursor.execute(SQL("CREATE DATABASE {}").format(Identifier(name)))
            cursor.execute(SQL("ALTER DATABASE {} SET search_path = kit").format(Identifier(name)))
    url = stores.postgres.admin_url(name).replace("postgresql://", "postgresql+psycopg2://")
    engine = create_engine(url)
    with engine.begin() as connection:
        connection.exec_driver_sql("CREATE SCHEMA kit")
        metadata.create_all(connection)
    engine.dispose()
    return url


@pytest.fixture
def settings(stores: Stores, tokens: TokenMint, database_url: str) -> KitSettings:
    closed = "http://127.0.0.1:9"
    return KitSettings(
        cogniflow_env="test",
        public_url="http://cogniflow.test",
        users_url=closed,
        courses_url=closed,
        chat_url=closed,
        analytics_url=closed,
        service_client_secret="the secret of the tests",
        database_url=database_url,
        redis_url=stores.redis.url("users"),
    )


@pytest.fixture
def database(settings: KitSettings) -> Iterator[Database]:
    """Real commits; the tables are emptied afterwards."""
    with committed_database(settings) as database:
        yield database


@pytest.fixture(scope="module")
def own_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[OwnPostgres]:
    """A PostgreSQL that these tests may break."""
    with own_postgres(tmp_path_factory.mktemp("own")) as server:
        yield server


@pytest.fixture
def fragile(own_server: OwnPostgres) -> Iterator[Database]:
    """A pool on the server that may break; a table `kept` with names is in it."""
    url = own_server.url("chat")
    database = Database(url, application="tests")
    database.run(text("CREATE TABLE kept (name text PRIMARY KEY)"))
    yield database
    own_server.thaw()
    # With the frozen connections gone, nothing is left of what they held.
    database.close()
    afterwards = Database(url, application="tests")
    afterwards.run(text("DROP TABLE kept"))
    afterwards.close()


@pytest.fixture
def redis_prefix() -> str:
    """Keys nobody else has, within what one service's Redis user may touch."""
    return f"users:{uuid4().hex}"


@pytest.fixture
def redis(settings: KitSettings, redis_prefix: str) -> Iterator[RedisStore]:
    store = RedisStore(settings.redis_url.get_secret_value(), redis_prefix)
    yield store
    store.close()


@pytest.fixture
def mongo(stores: Stores) -> Iterator[Mongo]:
    name = f"kit_{uuid4().hex}"
    mongo = Mongo(stores.mongo.admin_url().replace("/?", f"/{name}?"))
    yield mongo
    mongo.database.client.drop_database(name)
    mongo.close()


@pytest.fixture
def make_app(settings: KitSettings, tokens: TokenMint) -> Callable[..., FastAPI]:
    """The application of a service that has these routes."""

    def make(
        router: APIRouter, *, stores: tuple[Store, ...] = (), keys: KeySource | None = None, **options: Any
    ) -> FastAPI:
        return create_application(
            settings,
            summary="For the tests.",
            routers=[router],
            stores=stores,
            keys=keys or tokens.keys,
            **options,
        )

    return make


@pytest.fixture
def make_client(make_app: Callable[..., FastAPI]) -> Iterator[Callable[..., TestClient]]:
    clients: list[TestClient] = []

    def make(router: APIRouter, **options: Any) -> TestClient:
        app = make_app(router, **options)
        app.state.database = next((s for s in options.get("stores", ()) if isinstance(s, Database)), None)
        clients.append(TestClient(app).__enter__())
        return clients[-1]

    yield make
    for client in clients:
        client.__exit__(None, None, None)
