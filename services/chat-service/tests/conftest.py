"""The application over real stores, and the other services' side of its calls as the contract says it."""

import os
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import httpx
import pytest
import yaml
from fastapi.testclient import TestClient
from jose import jwk
from pydantic import SecretStr
from sqlalchemy import text

from chat_service.app import create_app
from chat_service.bootstrap import bootstrap
from chat_service.indexes import create_indexes
from chat_service.programs.content.loader import publish_folder
from chat_service.settings import Settings
from cogniflow_dev.testing.databases import clean_mongo, committed_database, savepoint_database
from cogniflow_dev.testing.environments import ServiceEnvironments
from cogniflow_dev.testing.servers import Call, json_server, serving
from cogniflow_dev.testing.tokens import TokenMint, headers
from cogniflow_kit.mongo import Document, Mongo
from cogniflow_kit.sql.database import Database

DATA = Path(__file__).parent / "data"
sys.path.insert(0, str(Path(__file__).parent / "support"))

from taking import Taking  # noqa: E402 -- found where the path above says


@dataclass
class Course:
    """A course as courses-service has it."""

    title: str
    lessons: list[dict[str, Any]]
    id: UUID = field(default_factory=uuid4)
    instructor_id: UUID = field(default_factory=uuid4)
    version: int = 1

    def lesson_id(self, title: str) -> str:
        return next(lesson["id"] for lesson in self.lessons if lesson["title"] == title)


@dataclass
class Platform:
    """users-, courses- and analytics-service, as far as chat-service calls them."""

    mint: TokenMint
    url: str = ""
    courses: dict[UUID, Course] = field(default_factory=dict)
    enrolled: set[tuple[UUID, UUID]] = field(default_factory=set)
    every_course: Course | None = None
    lessons_away: bool = False
    delivered: list[dict[str, Any]] = field(default_factory=list)
    calls: list[str] = field(default_factory=list)

    def answer(self, call: Call) -> tuple[int, Any]:
        self.calls.append(f"{call.method} {call.path}")
        parts = call.path.strip("/").split("/")
        if parts[:2] in (["api", "courses"], ["internal", "courses"]):
            return self._course(call, parts[0] == "internal", parts[2:])
        if parts == ["internal", "events"]:
            return self._take(call)
        key = {**jwk.construct(self.mint.keys.public_pem, "ES256").to_dict(), "kid": self.mint.keys.kid}
        answers = {
            "internal/tokens": {"access_token": "service", "expires_in": 60},
            "api/users/me": {"full_name": "Maja Novak"},
            "internal/verification": {"keys": [key], "revocations": []},
        }
        return 200, answers["/".join(parts)]

    def add_course(self, title: str, texts: dict[str, str]) -> Course:
        """`texts`: the text of each lesson by its title."""
        lessons = [
            {"id": str(uuid4()), "title": name, "position": position, "text": text}
            for position, (name, text) in enumerate(texts.items(), start=1)
        ]
        course = Course(title, lessons)
        self.courses[course.id] = course
        return course

    def enroll(self, token: str, course: Course) -> None:
        self.enrolled.add((self.mint.id_of(token), course.id))

    def _course(self, call: Call, internal: bool, path: list[str]) -> tuple[int, Any]:
        if not path:
            items = [{"id": str(course.id), "version": course.version} for course in self.courses.values()]
            return 200, {"items": items, "next_cursor": None}
        course = self.courses.get(UUID(path[0]), self.every_course)
        if course is None:
            return 404, {"code": "course_not_found"}
        about = {"title": course.title, "version": course.version}
        if internal:
            body = {"course_id": path[0], **about, "lessons": course.lessons}
            return (503, {}) if self.lessons_away else (200, body)
        if path[1:] == ["progress"]:
            user_id = self.mint.id_of(call.headers["Authorization"].removeprefix("Bearer "))
            enrolled = course is self.every_course or (user_id, course.id) in self.enrolled
            return (200, {}) if enrolled else (404, {"code": "not_enrolled"})
        return 200, {"id": path[0], **about, "instructor_id": str(course.instructor_id)}

    def _take(self, call: Call) -> tuple[int, Any]:
        events = yaml.safe_load(call.body)["events"]
        self.delivered += events
        return 200, {"accepted": len(events), "rejected": []}


@pytest.fixture(scope="session")
def platform_server(tokens: TokenMint) -> Iterator[Platform]:
    platform = Platform(tokens)
    with json_server(platform.answer) as platform.url:
        yield platform


@pytest.fixture
def platform(platform_server: Platform) -> Iterator[Platform]:
    yield platform_server
    for kept in (platform_server.courses, platform_server.enrolled):
        kept.clear()
    for log in (platform_server.delivered, platform_server.calls):
        log.clear()
    platform_server.every_course = None
    platform_server.lessons_away = False


@pytest.fixture(scope="session")
def settings(service_environment: ServiceEnvironments, platform_server: Platform) -> Settings:
    values = service_environment("chat", lambda values: bootstrap(Settings(**values)))
    urls = dict.fromkeys(("users_url", "courses_url", "analytics_url"), platform_server.url)
    return Settings(**values | urls)


@pytest.fixture
def process_environment(settings: Settings, platform: Platform) -> Callable[..., dict[str, str]]:
    """The settings as a process of its own reads them, and more variables."""

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
def mongo(settings: Settings) -> Iterator[Mongo]:
    url = settings.mongo_url.get_secret_value()
    mongo = Mongo(url)
    create_indexes(mongo)
    with clean_mongo(url):
        yield mongo
    mongo.close()


@pytest.fixture
def database(settings: Settings) -> Iterator[Database]:
    with savepoint_database(settings) as database:
        publish_programs(database, settings)
        yield database


@pytest.fixture
def committing(settings: Settings) -> Iterator[Database]:
    """For jobs, crashes and what happens at the same time."""
    with committed_database(settings) as database:
        publish_programs(database, settings)
        yield database


def publish_programs(database: Database, settings: Settings) -> None:
    """Those that the service brings, which their authors change, and those whose every word tests know."""
    for folder in (settings.content_dir / "programs", DATA / "programs"):
        publish_folder(database, folder)


@pytest.fixture
def make_client(settings: Settings, tokens: TokenMint, platform: Platform) -> Callable[..., TestClient]:
    """A client of the application with some settings changed."""

    def make(database: Database, **changes: Any) -> TestClient:
        return TestClient(
            create_app(settings.model_copy(update=changes), keys=tokens.keys, database=database)
        )

    return make


@pytest.fixture
def client(make_client: Callable[..., TestClient], database: Database, mongo: Mongo) -> Iterator[TestClient]:
    with make_client(database) as client:
        yield client


@pytest.fixture
def server(
    settings: Settings, tokens: TokenMint, platform: Platform, committing: Database, mongo: Mongo
) -> Iterator[httpx.Client]:
    """A client of a real server, for several threads at once."""
    app = create_app(settings, keys=tokens.keys, database=committing)
    with serving(app) as url, httpx.Client(base_url=url, timeout=30) as client:
        yield client


@pytest.fixture
def maja(tokens: TokenMint) -> str:
    return tokens.user()


@pytest.fixture
def as_maja(maja: str) -> dict[str, str]:
    return headers(maja)


@pytest.fixture
def as_stranger(tokens: TokenMint) -> dict[str, str]:
    return headers(tokens.user())


@pytest.fixture(scope="session")
def remembering() -> dict[str, Any]:
    """A small course and what people ask about it."""
    found: dict[str, Any] = yaml.safe_load((DATA / "remembering.yaml").read_text(encoding="utf-8"))
    return found


@pytest.fixture
def course(platform: Platform, remembering: dict[str, Any], maja: str) -> Course:
    """Maja is enrolled in it."""
    texts = {lesson["title"]: lesson["text"] for lesson in remembering["lessons"]}
    course = platform.add_course(remembering["title"], texts)
    platform.enroll(maja, course)
    return course


@pytest.fixture
def question(course: Course) -> Callable[..., dict[str, Any]]:
    """The body of a message to the tutor; any field can be given."""

    def make(message: str = "What is the forgetting curve?", **fields: Any) -> dict[str, Any]:
        return {
            "message": message,
            "course_id": str(course.id),
            "client_message_id": str(uuid4()),
            **{name: str(value) for name, value in fields.items()},
        }

    return make


@pytest.fixture
def stored_turns(mongo: Mongo) -> Callable[[], list[Document]]:
    """Every document of the tutor, in order."""
    return lambda: list(mongo.collection("ai_conversations").find().sort("sequence"))


@pytest.fixture
def begin(client: TestClient, as_maja: dict[str, str]) -> Callable[..., Taking]:
    """Begins a program as Maja, or as whoever is named by their headers."""

    def make(slug: str = "practice", who: dict[str, str] | None = None, **body: Any) -> Taking:
        answer = client.post(f"/api/programs/{slug}/start", json=body, headers=who or as_maja)
        assert answer.status_code == 201, answer.text
        return Taking(client, who or as_maja, answer.json())

    return make


@pytest.fixture
def practice(begin: Callable[..., Taking]) -> Taking:
    """Maja's session of the program `practice`, at its first question."""
    return begin()


@pytest.fixture
def intake(client: TestClient) -> Taking:
    """Somebody's session of the program `open-door`, by its key alone."""
    answer = client.post("/api/programs/open-door/start-anonymously")
    assert answer.status_code == 201, answer.text
    begun = answer.json()
    return Taking(client, {"X-Session-Key": begun["session_key"]}, begun["session"])


@pytest.fixture
def rows(database: Database) -> Callable[..., list[dict[str, Any]]]:
    """What a statement finds, or how a table reads in the order of its ids."""

    def read(statement: str, **values: Any) -> list[dict[str, Any]]:
        found = statement if " " in statement else f"SELECT * FROM {statement} ORDER BY 1"
        with database.transaction() as session:
            return [dict(row) for row in session.execute(text(found), values).mappings()]

    return read
