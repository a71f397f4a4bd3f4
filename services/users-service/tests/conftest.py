"""The application on a real database; each test's writes are rolled back."""

import re
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

import httpx
import pytest
from fastapi.testclient import TestClient
from sqlalchemy import delete, event, select, text

from cogniflow_dev.testing.databases import committed_database, savepoint_database
from cogniflow_dev.testing.environments import ServiceEnvironments
from cogniflow_kit.jobs import Jobs
from cogniflow_kit.sql.database import Database
from cogniflow_kit.verification import VerificationFeed
from users_service import password_hashing
from users_service.app import create_app
from users_service.bootstrap import bootstrap
from users_service.password_hashing import hash_password
from users_service.settings import Settings
from users_service.tables import LoginFailure, Mail, User
from users_service.worker import register_mail_jobs

PASSWORD = "correct horse battery"
LogIn = Callable[..., httpx.Response]


class FreshFeed(VerificationFeed):
    """Refreshes at every use. The usual thread couldn't share the test's one connection."""

    def start(self) -> None:
        self.refresh()

    async def pem(self, kid: str) -> str | None:
        self.refresh()
        return await super().pem(kid)


@pytest.fixture(scope="session", autouse=True)
def cheap_hashes() -> Iterator[None]:
    """Use argon2 with its cheapest parameters, to save time."""
    with pytest.MonkeyPatch.context() as patch:
        cheap = password_hashing._context.copy(argon2__time_cost=1, argon2__memory_cost=64)
        patch.setattr(password_hashing, "_context", cheap)
        yield


@pytest.fixture(scope="session")
def settings(service_environment: ServiceEnvironments) -> Settings:
    return Settings(**service_environment("users", lambda values: bootstrap(Settings(**values))))


@pytest.fixture
def database(settings: Settings) -> Iterator[Database]:
    with savepoint_database(settings) as database:
        yield database


@pytest.fixture
def client(settings: Settings, database: Database) -> Iterator[TestClient]:
    with TestClient(create_app(settings, database=database, feed=FreshFeed)) as client:
        yield client


@pytest.fixture
def client_with(settings: Settings, database: Database) -> Iterator[Callable[..., TestClient]]:
    """Start the application with other settings on the same database."""
    with ExitStack() as stack:

        def start(**changes: Any) -> TestClient:
            changed = Settings(**settings.model_dump() | changes)
            return stack.enter_context(TestClient(create_app(changed, database=database, feed=FreshFeed)))

        yield start


@pytest.fixture
def make_user(database: Database) -> Callable[..., User]:
    """Insert a user with PASSWORD; `columns` override the others."""

    def make(username: str = "maja", **columns: Any) -> User:
        columns.setdefault("hashed_password", hash_password(PASSWORD))
        columns.setdefault("email", f"{username}@example.org")
        columns.setdefault("full_name", username.title())
        with database.transaction() as db:
            user = User(username=username, **columns)
            db.add(user)
        return user

    return make


@pytest.fixture
def log_in() -> LogIn:
    """Log in over HTTP, with PASSWORD unless another is given."""

    def post(client: TestClient, login: str, password: str = PASSWORD) -> httpx.Response:
        return client.post("/api/auth/token", data={"username": login, "password": password})

    return post


@pytest.fixture
def headers_of(
    client: TestClient, make_user: Callable[..., User], log_in: LogIn
) -> Callable[..., dict[str, str]]:
    """Create a user with this role, log in, and return the headers."""

    def headers(role: str = "student") -> dict[str, str]:
        make_user(f"some-{role}", role=role)
        return {"Authorization": f"Bearer {log_in(client, f'some-{role}').json()['access_token']}"}

    return headers


@pytest.fixture
def committing_client(settings: Settings) -> Iterator[TestClient]:
    """A client whose requests commit, for tests of concurrency. Afterwards a new signing key is created."""
    with committed_database(settings) as database:
        app = create_app(settings, database=database, feed=FreshFeed)
        bootstrap(settings)
        with TestClient(app) as client:
            yield client
    bootstrap(settings)


@pytest.fixture
def run_jobs(database: Database, settings: Settings) -> Callable[..., None]:
    """Run the queued mail jobs as the worker would."""

    def run(database: Database = database, settings: Settings = settings) -> None:
        jobs = Jobs(database, settings.redis_url.get_secret_value(), settings.schema_name)
        register_mail_jobs(database, jobs, settings)
        with database.transaction() as db:
            waiting = list(db.scalars(text("SELECT id FROM jobs WHERE status = 'queued' ORDER BY id")))
        for job_id in waiting:
            jobs.perform(str(job_id))

    return run


@pytest.fixture
def mailed_token(database: Database) -> Callable[..., str | None]:
    """Return the token in the latest mail to this address."""

    def find(recipient: str, database: Database = database) -> str | None:
        to = select(Mail.body).where(Mail.recipient == recipient).order_by(Mail.id.desc())
        with database.transaction() as db:
            bodies = list(db.scalars(to))
        found = [match[1] for body in bodies if (match := re.search(r"\?token=([\w-]{43})\n", body))]
        return found[0] if found else None

    return find


@pytest.fixture
def forgotten_token(
    client: TestClient, database: Database, run_jobs: Callable[..., None], mailed_token: Callable[..., str]
) -> Callable[[str], str | None]:
    """Request a reset link for this user and return the mailed token."""

    def forget(username: str) -> str | None:
        email = f"{username}@example.org"
        with database.transaction() as db:
            db.execute(delete(LoginFailure))
            db.execute(delete(Mail))
        assert client.post("/api/auth/password/forgot", json={"email": email}).status_code == 202
        run_jobs()
        return mailed_token(email)

    return forget


@pytest.fixture
def statements(database: Database) -> Callable[..., Any]:
    """Collect the SQL statements that a block sends, without parameters."""

    @contextmanager
    def listening() -> Iterator[list[str]]:
        seen: list[str] = []

        def note(_conn: Any, _cursor: Any, statement: str, *_: Any) -> None:
            if "SAVEPOINT" not in statement:
                seen.append(statement)

        event.listen(database.engine, "before_cursor_execute", note)
        yield seen
        event.remove(database.engine, "before_cursor_execute", note)

    return listening
