"""Fixtures: the application on real stores, and users of each role."""

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

from api_users import ApiUser
from course_archives import targz


@pytest.fixture(scope="session")
def settings(service_environment: ServiceEnvironments) -> Settings:
    settings = Settings(**service_environment("courses", lambda values: bootstrap(Settings(**values))))
    # PostgreSQL tables are cloned from a template database; MongoDB has no such clone.
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
    """A client whose transactions commit, for tests of concurrency and crashes."""
    with committed_database(settings) as database:
        app = create_app(settings, keys=tokens.keys, database=database)
        with TestClient(app, raise_server_exceptions=False) as client:
            yield client


@pytest.fixture
def make_user(tokens: TokenMint) -> Callable[..., ApiUser]:
    """Call it with a client and a role to get a user with a new account id."""

    def make(client: TestClient, role: str = "student") -> ApiUser:
        token = tokens.user(role)
        return ApiUser(client, headers(token), tokens.id_of(token))

    return make


@pytest.fixture
def learner(client: TestClient, make_user: Callable[..., ApiUser]) -> ApiUser:
    return make_user(client)


@pytest.fixture
def teacher(client: TestClient, make_user: Callable[..., ApiUser]) -> ApiUser:
    return make_user(client, "instructor")


@pytest.fixture
def other_teacher(client: TestClient, make_user: Callable[..., ApiUser]) -> ApiUser:
    return make_user(client, "instructor")


@pytest.fixture
def admin(client: TestClient, make_user: Callable[..., ApiUser]) -> ApiUser:
    return make_user(client, "admin")


@pytest.fixture
def chat_service(client: TestClient, tokens: TokenMint) -> ApiUser:
    token = tokens.service("chat-service", "courses-service", "lessons:read")
    return ApiUser(client, headers(token), UUID(int=0))


@pytest.fixture
def course(teacher: ApiUser) -> dict[str, Any]:
    """The report of the small course, imported and published: one lesson with one quiz."""
    return teacher.imports(targz())


@pytest.fixture
def lesson_id(teacher: ApiUser, course: dict[str, Any]) -> str:
    outline = teacher.get(f"/api/courses/{course['course_id']}/outline").json()
    return str(outline["sections"][0]["lessons"][0]["id"])


@pytest.fixture
def events(database: Database) -> Callable[[], list[dict[str, Any]]]:
    """Read the events in the outbox of PostgreSQL."""

    def read() -> list[dict[str, Any]]:
        with database.transaction() as db:
            return list(db.scalars(text("SELECT event FROM outbox ORDER BY id")))

    return read
