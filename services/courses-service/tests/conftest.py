"""The application over real stores, as different people see it."""

import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient
from sqlalchemy import text

from cogniflow_dev.testing.databases import (
    clean_mongo,
    clean_redis,
    committed_database,
    savepoint_database,
)
from cogniflow_dev.testing.environments import ServiceEnvironments
from cogniflow_dev.testing.tokens import TokenMint, headers
from cogniflow_kit.mongo import Mongo
from cogniflow_kit.sql.database import Database
from courses_service.app import create_app
from courses_service.bootstrap import bootstrap
from courses_service.indexes import create_indexes
from courses_service.settings import Settings

sys.path.insert(0, str(Path(__file__).parent / "support"))

from course_archives import targz
from people import Person


@pytest.fixture(scope="session")
def settings(service_environment: ServiceEnvironments) -> Settings:
    settings = Settings(**service_environment("courses", lambda values: bootstrap(Settings(**values))))
    # Tables come with the clone of the prepared template; MongoDB has none to clone.
    mongo = Mongo(settings.mongo_url.get_secret_value())
    create_indexes(mongo)
    mongo.close()
    return settings


@pytest.fixture
def database(settings: Settings) -> Iterator[Database]:
    with savepoint_database(settings) as database:
        yield database


@pytest.fixture
def clean_stores(settings: Settings) -> Iterator[None]:
    mongo_url = settings.mongo_url.get_secret_value()
    with clean_mongo(mongo_url), clean_redis(settings.redis_url.get_secret_value(), "courses"):
        yield


@pytest.fixture
def app(settings: Settings, database: Database, tokens: TokenMint, clean_stores: None) -> FastAPI:
    return create_app(settings, keys=tokens.keys, database=database)


@pytest.fixture
def client(app: FastAPI) -> Iterator[TestClient]:
    with TestClient(app, raise_server_exceptions=False) as client:
        yield client


@pytest.fixture
def committing_client(settings: Settings, tokens: TokenMint, clean_stores: None) -> Iterator[TestClient]:
    """For what happens at the same time, or survives."""
    with committed_database(settings) as database:
        app = create_app(settings, keys=tokens.keys, database=database)
        with TestClient(app, raise_server_exceptions=False) as client:
            yield client


@pytest.fixture
def someone(tokens: TokenMint) -> Callable[..., Person]:
    """A person of this role on this client."""

    def make(client: TestClient, role: str = "student") -> Person:
        token = tokens.user(role)
        return Person(client, headers(token), tokens.id_of(token))

    return make


@pytest.fixture
def learner(client: TestClient, someone: Callable[..., Person]) -> Person:
    return someone(client)


@pytest.fixture
def teacher(client: TestClient, someone: Callable[..., Person]) -> Person:
    return someone(client, "instructor")


@pytest.fixture
def other_teacher(client: TestClient, someone: Callable[..., Person]) -> Person:
    return someone(client, "instructor")


@pytest.fixture
def admin(client: TestClient, someone: Callable[..., Person]) -> Person:
    return someone(client, "admin")


@pytest.fixture
def chat_service(client: TestClient, tokens: TokenMint) -> Person:
    token = tokens.service("chat-service", "courses-service", "lessons:read")
    return Person(client, headers(token), UUID(int=0))


@pytest.fixture
def course(teacher: Person) -> dict[str, Any]:
    """The small course, imported and published: one lesson with one quiz."""
    return teacher.imports(targz())


@pytest.fixture
def lesson_id(teacher: Person, course: dict[str, Any]) -> str:
    outline = teacher.get(f"/api/courses/{course['course_id']}/outline").json()
    return str(outline["sections"][0]["lessons"][0]["id"])


@pytest.fixture
def facts(database: Database) -> Callable[[], list[dict[str, Any]]]:
    """What waits in the outbox."""

    def read() -> list[dict[str, Any]]:
        with database.transaction() as session:
            return list(session.scalars(text("SELECT event FROM outbox ORDER BY id")))

    return read
