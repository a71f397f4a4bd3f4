"""Fixtures: the application on real stores, and a stand-in for courses-service."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from uuid import UUID, uuid4

import pytest
from fastapi.testclient import TestClient

from analytics_service.app import create_app
from analytics_service.bootstrap import bootstrap
from analytics_service.documents import INTERACTION_LOGS
from analytics_service.indexes import create_indexes
from analytics_service.settings import Settings
from cogniflow_dev.testing.databases import clean_mongo, clean_redis, committed_database, savepoint_database
from cogniflow_dev.testing.environments import ServiceEnvironments
from cogniflow_dev.testing.servers import Call, json_server
from cogniflow_dev.testing.tokens import TokenMint, headers
from cogniflow_kit.events import EVENTS_SCOPE
from cogniflow_kit.mongo import Mongo
from cogniflow_kit.sql.database import Database


@dataclass(frozen=True)
class Teacher:
    """An instructor, and a course that belongs to them."""

    id: UUID
    token: str
    course_id: UUID

    @property
    def headers(self) -> dict[str, str]:
        return headers(self.token)


@dataclass
class CoursesService:
    """A stand-in for courses-service that answers `GET /api/courses/{id}`."""

    url: str = ""
    instructors: dict[UUID, UUID] = field(default_factory=dict)
    tokens_seen: list[str] = field(default_factory=list)
    status: int | None = None
    every_course: bool = False

    def answer(self, call: Call) -> tuple[int, dict[str, Any]]:
        self.tokens_seen.append(call.headers["Authorization"])
        course_id = UUID(call.path.removeprefix("/api/courses/"))
        if self.status is not None:
            return self.status, {}
        if course_id not in self.instructors and not self.every_course:
            return 404, {"code": "not_found"}
        return 200, {
            "id": str(course_id),
            "instructor_id": str(self.instructors.get(course_id, uuid4())),
            "version": 1,
        }

    def taught_by(self, token: str) -> UUID:
        """Add a course that belongs to the user with this token."""
        course_id = uuid4()
        self.instructors[course_id] = TokenMint.id_of(token)
        return course_id


@pytest.fixture(scope="session")
def courses_server() -> Iterator[CoursesService]:
    service = CoursesService()
    with json_server(service.answer) as service.url:
        yield service


@pytest.fixture
def courses(courses_server: CoursesService) -> Iterator[CoursesService]:
    yield courses_server
    courses_server.instructors.clear()
    courses_server.tokens_seen.clear()
    courses_server.status = None
    courses_server.every_course = False


@pytest.fixture
def teacher(tokens: TokenMint, courses: CoursesService) -> Teacher:
    token = tokens.user("instructor")
    return Teacher(tokens.id_of(token), token, courses.taught_by(token))


@pytest.fixture(scope="session")
def settings(service_environment: ServiceEnvironments, courses_server: CoursesService) -> Settings:
    values = service_environment("analytics", lambda values: bootstrap(Settings(**values)))
    return Settings(**values | {"courses_url": courses_server.url})


@pytest.fixture
def mongo(settings: Settings) -> Iterator[Mongo]:
    url = settings.mongo_url.get_secret_value()
    mongo = Mongo(url)
    create_indexes(mongo)
    with clean_mongo(url):
        yield mongo
    mongo.close()


@pytest.fixture
def redis(settings: Settings) -> Iterator[None]:
    with clean_redis(settings.redis_url.get_secret_value(), settings.schema_name):
        yield


@pytest.fixture
def database(settings: Settings) -> Iterator[Database]:
    with savepoint_database(settings) as database:
        yield database


@pytest.fixture
def committing_database(settings: Settings) -> Iterator[Database]:
    """A database whose transactions commit, for tests of jobs and concurrency."""
    with committed_database(settings) as database:
        yield database


@pytest.fixture
def make_client(settings: Settings, tokens: TokenMint) -> Callable[..., TestClient]:
    """Call it with changed settings to get a client of the application."""

    def make(database: Database | None = None, **changes: Any) -> TestClient:
        changed = settings.model_copy(update=changes)
        return TestClient(create_app(changed, keys=tokens.keys, database=database))

    return make


@pytest.fixture
def client(
    make_client: Callable[..., TestClient], database: Database, mongo: Mongo, redis: None
) -> Iterator[TestClient]:
    with make_client(database) as client:
        yield client


@pytest.fixture
def sender(tokens: TokenMint) -> dict[str, str]:
    """Request headers of courses-service when it delivers events."""
    return headers(tokens.service("courses-service", "analytics-service", EVENTS_SCOPE))


@pytest.fixture
def deliver(client: TestClient, sender: dict[str, str]) -> Callable[..., dict[str, Any]]:
    """Call it with valid events to deliver them; it returns the receipt."""

    def post(*events: dict[str, Any]) -> dict[str, Any]:
        answer = client.post("/internal/events", json={"events": events}, headers=sender)
        assert answer.status_code == 200, answer.text
        return answer.json()

    return post


@pytest.fixture
def make_event() -> Callable[..., dict[str, Any]]:
    """Call it to get an event as JSON. Any field can be given; `course_id` becomes part of the data."""

    def make(
        kind: str = "lesson.completed", *, course_id: UUID | None = None, **fields: Any
    ) -> dict[str, Any]:
        event = {
            "id": str(uuid4()),
            "type": kind,
            "occurred_at": datetime.now(UTC).isoformat(),
            "actor_id": str(uuid4()),
            "data": {"course_id": str(course_id)} if course_id else {},
        }
        return {**event, **{name: _plain(value) for name, value in fields.items()}}

    return make


def _plain(value: Any) -> Any:
    if isinstance(value, datetime):
        return value.isoformat()
    return str(value) if isinstance(value, UUID) else value


@pytest.fixture
def stored(mongo: Mongo) -> Callable[[], list[dict[str, Any]]]:
    """Read the whole log, oldest event first."""
    return lambda: list(mongo.collection(INTERACTION_LOGS).find().sort("occurred_at"))
