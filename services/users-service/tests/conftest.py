"""The application over a real database whose writes are undone after each test."""

from collections.abc import Callable, Iterator
from typing import Any

import httpx
import pytest
from fastapi.testclient import TestClient

from cogniflow_dev.testing.databases import committed_database, savepoint_database
from cogniflow_dev.testing.environments import ServiceEnvironments
from cogniflow_kit.sql.database import Database
from cogniflow_kit.verification import VerificationFeed
from users_service.app import create_app
from users_service.passwords import hash_password
from users_service.prepare import prepare
from users_service.settings import Settings
from users_service.tables import User

PASSWORD = "correct horse battery"
LogIn = Callable[..., httpx.Response]


class FreshFeed(VerificationFeed):
    """Asked at every use instead of from a thread, which couldn't share the test's one connection."""

    def start(self) -> None:
        self.refresh()

    async def pem(self, kid: str) -> str | None:
        self.refresh()
        return await super().pem(kid)


@pytest.fixture(scope="session")
def settings(service_environment: ServiceEnvironments) -> Settings:
    return Settings(**service_environment("users", lambda values: prepare(Settings(**values))))


@pytest.fixture
def database(settings: Settings) -> Iterator[Database]:
    with savepoint_database(settings) as database:
        yield database


@pytest.fixture
def client(settings: Settings, database: Database) -> Iterator[TestClient]:
    with TestClient(create_app(settings, database=database, feed=FreshFeed)) as client:
        yield client


@pytest.fixture
def make_user(database: Database) -> Callable[..., User]:
    """Adds a user whose password is PASSWORD; any column can be given."""

    def make(username: str = "maja", **columns: Any) -> User:
        columns.setdefault("hashed_password", hash_password(PASSWORD))
        columns.setdefault("email", f"{username}@example.org")
        with database.transaction() as session:
            user = User(username=username, full_name=username.title(), **columns)
            session.add(user)
        return user

    return make


@pytest.fixture
def log_in() -> LogIn:
    """Log in over HTTP, with the right password unless another is given."""

    def post(client: TestClient, login: str, password: str = PASSWORD) -> httpx.Response:
        return client.post("/api/auth/token", data={"username": login, "password": password})

    return post


@pytest.fixture
def headers_of(
    client: TestClient, make_user: Callable[..., User], log_in: LogIn
) -> Callable[..., dict[str, str]]:
    """Headers of a fresh user with this role, logged in."""

    def headers(role: str = "student") -> dict[str, str]:
        make_user(f"some-{role}", role=role)
        return {"Authorization": f"Bearer {log_in(client, f'some-{role}').json()['access_token']}"}

    return headers


@pytest.fixture
def committing_client(settings: Settings) -> Iterator[TestClient]:
    """For what happens at the same time; the signing key is made anew afterwards."""
    with committed_database(settings) as database:
        app = create_app(settings, database=database, feed=FreshFeed)
        prepare(settings)
        with TestClient(app) as client:
            yield client
    prepare(settings)
