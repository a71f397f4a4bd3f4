"""Freshness of the copies of courses that each process holds (ADR 17).

Two applications on one database stand for two processes.
"""

import time
from collections.abc import Callable, Iterator
from typing import Any
from uuid import UUID, uuid4

import pytest
from api_users import ApiUser
from fastapi.testclient import TestClient
from pydantic import SecretStr
from sqlalchemy import text

from cogniflow_dev.readiness import wait_until_ready
from cogniflow_dev.testing.databases import committed_database
from cogniflow_dev.testing.postgres import own_postgres
from cogniflow_kit.sql import deadline
from cogniflow_kit.sql.database import Database
from courses_service.app import create_app
from courses_service.bootstrap import bootstrap
from courses_service.courses.course_copies import (
    MAX_AGE_S,
    MAX_COPIES,
    UNUSED_FOR_S,
    CourseCopies,
    CourseState,
)

STATE = CourseState(1, "published", UUID(int=7))


class Clock:
    """A monotonic clock that tests move."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def states() -> dict[UUID, CourseState]:
    """What the database holds."""
    return {}


@pytest.fixture
def copies(clock: Clock, states: dict[UUID, CourseState]) -> CourseCopies:
    return CourseCopies(lambda ids: {id_: states[id_] for id_ in ids if id_ in states}, clock=clock)


@pytest.fixture
def course_id(copies: CourseCopies, states: dict[UUID, CourseState]) -> UUID:
    """A course of which there is a copy."""
    course_id = uuid4()
    states[course_id] = STATE
    copies.keep(course_id, STATE, "detail", b"{}", copies.begin_read())
    return course_id


def test_copy_is_used_until_its_maximum_age(copies, course_id, clock) -> None:
    clock.now += MAX_AGE_S - 0.01
    assert copies.find(course_id).bodies == {"detail": b"{}"}
    clock.now += 0.02
    assert copies.find(course_id) is None


def test_confirmation_renews_unchanged_copies_and_removes_changed_ones(
    copies, course_id, states, clock
) -> None:
    clock.now += MAX_AGE_S
    assert copies.confirmation_due
    copies.confirm()
    assert not copies.confirmation_due
    assert copies.find(course_id) is not None
    for change in (STATE._replace(version=2), STATE._replace(status="draft"), None):
        clock.now += MAX_AGE_S
        copies.keep(course_id, STATE, "detail", b"{}", copies.begin_read())
        states[course_id] = change
        copies.confirm()
        assert copies.find(course_id) is None


def test_copy_is_as_old_as_the_statement_that_confirmed_it(copies, course_id, clock, states) -> None:
    """The clock counts from the statement's begin: an edit may commit while it runs."""

    def slow(_ids: list[UUID]) -> dict[UUID, CourseState]:
        clock.now += 0.3
        return states

    copies._load_states = slow
    clock.now += MAX_AGE_S
    copies.confirm()
    clock.now += MAX_AGE_S - 0.31
    assert copies.find(course_id) is not None
    clock.now += 0.02
    assert copies.find(course_id) is None


def test_read_from_before_an_edit_is_not_kept(copies, course_id) -> None:
    begun = copies.begin_read()
    copies.remove(course_id)
    copies.keep(course_id, STATE, "detail", b"old", begun)
    assert copies.find(course_id) is None


def test_confirmation_does_not_restore_a_removed_copy(copies, course_id, states, clock) -> None:
    def edited_meanwhile(_ids: list[UUID]) -> dict[UUID, CourseState]:
        copies.remove(course_id)
        return states

    copies._load_states = edited_meanwhile
    clock.now += MAX_AGE_S
    copies.confirm()
    assert copies.find(course_id) is None


def test_unused_and_surplus_copies_are_removed(copies, course_id, states, clock) -> None:
    clock.now += UNUSED_FOR_S + 1
    copies.confirm()
    assert not copies.confirmation_due
    ids = [uuid4() for _ in range(MAX_COPIES + 1)]
    for id_ in ids:
        clock.now += 0.0001
        copies.keep(id_, STATE, "detail", b"{}", copies.begin_read())
    assert copies.find(ids[0]) is None
    assert copies.find(ids[1]) is not None


# Over HTTP, with two applications.


@pytest.fixture
def database(settings) -> Iterator[Database]:
    with committed_database(settings) as database:
        yield database


@pytest.fixture
def make_process(settings, database, tokens, clean_stores) -> Callable[..., TestClient]:
    """Call it to get a client of a new application, with its own copies."""

    def make() -> TestClient:
        app = create_app(settings, keys=tokens.keys, database=database)
        return TestClient(app, raise_server_exceptions=False)

    return make


@pytest.fixture
def client(make_process) -> TestClient:
    return make_process()


@pytest.fixture
def other_client(make_process) -> TestClient:
    return make_process()


def on(client: TestClient, user: ApiUser) -> ApiUser:
    return ApiUser(client, user.headers, user.id)


def within_max_age(read: Callable[[], Any], expected: Any) -> None:
    """Wait until `read` gives the expected value: at most MAX_AGE_S, and 0.2 s for the request itself."""
    started = time.monotonic()
    while read() != expected:
        assert time.monotonic() - started < MAX_AGE_S + 0.2, "the change is not visible in time"
        time.sleep(0.02)


@pytest.fixture
def path(teacher: ApiUser) -> str:
    return f"/api/courses/{teacher.creates(title='Old', status='published')['id']}"


def statements(client: TestClient, monkeypatch) -> list[str]:
    """Statements that course reads send from now on."""
    sent: list[str] = []
    run = client.app.state.database.run

    def count(statement, parameters=None):
        sent.append(str(statement))
        return run(statement, parameters)

    monkeypatch.setattr(client.app.state.database, "run", count)
    return sent


def test_repeated_reads_send_no_statement(learner, client, path, monkeypatch) -> None:
    first = [learner.get(path).content, learner.get(f"{path}/outline").content]
    sent = statements(client, monkeypatch)
    monkeypatch.setattr(client.app.state.course_copies, "_confirm_at", time.monotonic() + 60)
    assert [learner.get(path).content, learner.get(f"{path}/outline").content] == first
    assert sent == []


@pytest.mark.parametrize(
    "change", [{"title": "New"}, {"status": "archived"}, {"status": "draft"}], ids=["edit", "archive", "hide"]
)
def test_change_is_visible_at_once_here_and_in_time_elsewhere(
    learner, teacher, other_client, path, change
) -> None:
    here, elsewhere = learner, on(other_client, learner)
    assert here.get(path).json()["title"] == elsewhere.get(path).json()["title"] == "Old"
    assert teacher.patch(path, change).status_code == 200
    seen = here.get(path)
    assert seen.json().get("title") == ("New" if "title" in change else "Not Found")
    within_max_age(lambda: elsewhere.get(path).json().get("title"), seen.json()["title"])


def test_edit_of_a_lesson_is_visible_in_the_outline(teacher, learner, client, other_client) -> None:
    sections = [{"title": "S", "lessons": [{"title": "Old"}]}]
    path = f"/api/courses/{teacher.creates(sections=sections, status='published')['id']}/outline"

    def title(user: ApiUser) -> str:
        return str(user.get(path).json()["sections"][0]["lessons"][0]["title"])

    elsewhere = on(other_client, learner)
    lesson_id = learner.get(path).json()["sections"][0]["lessons"][0]["id"]
    assert title(learner) == title(elsewhere) == "Old"
    assert teacher.patch(f"/api/lessons/{lesson_id}", {"title": "New"}).status_code == 200
    assert title(learner) == "New"
    within_max_age(lambda: title(elsewhere), "New")


def test_end_of_an_enrollment_is_visible_at_once_everywhere(
    teacher, learner, client, other_client, path, database
) -> None:
    learner.post(f"{path}/enroll")
    teacher.patch(path, {"status": "archived"})
    for user in (learner, on(other_client, learner)):
        for _ in range(2):
            assert user.get(path).status_code == 200
    with database.transaction() as db:
        db.execute(text("DELETE FROM enrollments"))
    for user in (learner, on(other_client, learner)):
        assert user.get(path).json()["code"] == "course_not_found"


def test_role_change_is_visible_at_once_everywhere(teacher, client, other_client, tokens, make_user) -> None:
    """The role comes with each request's token; the copy holds none."""
    path = f"/api/courses/{teacher.creates(title='Draft')['id']}"
    demoted = {"Authorization": f"Bearer {tokens.user('student', teacher.id)}"}
    for process in (client, other_client):
        assert on(process, teacher).get(path).status_code == 200
        assert process.get(path, headers=demoted).status_code == 404


def test_copies_grant_nothing_to_other_users(teacher, other_teacher, learner, admin, path) -> None:
    assert teacher.patch(path, {"status": "draft"}).status_code == 200
    for user, status in ((teacher, 200), (admin, 200), (other_teacher, 404), (learner, 404)) * 2:
        assert user.get(path).status_code == status
        assert user.get(f"{path}/outline").status_code == status


def test_erasure_of_the_instructor_is_visible_at_once(learner, teacher, client, path, tokens) -> None:
    assert learner.get(path).json()["instructor_id"] == str(teacher.id)
    token = tokens.service("users-service", "courses-service", "people:erase")
    erased = client.post(f"/internal/people/{teacher.id}/erase", headers={"Authorization": f"Bearer {token}"})
    assert erased.status_code == 200
    assert learner.get(path).json()["instructor_id"] == str(UUID(int=0))


def test_reads_stop_using_copies_while_postgresql_is_frozen(
    settings, tokens, clean_stores, make_user, tmp_path, monkeypatch
) -> None:
    """A process that can't confirm its copies answers 503, as without copies, and recovers."""
    monkeypatch.setattr(deadline, "RESPONSE_TIMEOUT_S", 0.5)
    with own_postgres(tmp_path) as server:
        own = settings.model_copy(update={"database_url": SecretStr(server.url("courses"))})
        bootstrap(own)
        with TestClient(create_app(own, keys=tokens.keys), raise_server_exceptions=False) as client:
            teacher = make_user(client, "instructor")
            path = f"/api/courses/{teacher.creates()['id']}"
            assert teacher.get(path).status_code == 200
            server.freeze()
            frozen_at = time.monotonic()
            while (answer := teacher.get(path)).status_code == 200:
                assert time.monotonic() - frozen_at < MAX_AGE_S + 0.5
            assert (answer.status_code, answer.json()["code"]) == (503, "service_unavailable")
            server.thaw()
            wait_until_ready("a read", lambda: _refusal(teacher, path), 10.0, lambda: True)


def _refusal(user: ApiUser, path: str) -> str | None:
    status = user.get(path).status_code
    return None if status == 200 else f"status {status}"
