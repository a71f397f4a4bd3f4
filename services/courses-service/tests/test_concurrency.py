"""Concurrent requests, of several users or of one."""

from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import Any

import pytest
from api_users import ApiUser
from course_archives import targz
from httpx import Response
from sqlalchemy import text

from courses_service.indexes import QUIZ_ATTEMPTS

CONCURRENT_REQUESTS = 6


def run_concurrently(call: Callable[[int], Response]) -> list[Response]:
    barrier = Barrier(CONCURRENT_REQUESTS)

    def run(number: int) -> Response:
        barrier.wait()
        return call(number)

    with ThreadPoolExecutor(CONCURRENT_REQUESTS) as threads:
        return list(threads.map(run, range(CONCURRENT_REQUESTS)))


def statuses(answers: list[Response]) -> Counter[int]:
    return Counter(answer.status_code for answer in answers)


@pytest.fixture
def teacher(committing_client, make_user) -> ApiUser:
    return make_user(committing_client, "instructor")


@pytest.fixture
def learner(committing_client, make_user) -> ApiUser:
    return make_user(committing_client)


@pytest.fixture
def course_id(teacher: ApiUser) -> str:
    return str(teacher.imports(targz())["course_id"])


@pytest.fixture
def lesson(teacher: ApiUser, course_id: str) -> dict[str, Any]:
    outline = teacher.get(f"/api/courses/{course_id}/outline").json()
    read: dict[str, Any] = teacher.get(f"/api/lessons/{outline['sections'][0]['lessons'][0]['id']}").json()
    return read


@pytest.fixture
def count(committing_client) -> Callable[[str], int]:
    """Call it with a FROM clause (and WHERE) to count rows."""

    def rows(what: str) -> int:
        with committing_client.app.state.database.transaction() as db:
            return int(db.scalars(text(f"SELECT count(*) FROM {what}")).one())

    return rows


def test_concurrent_enrollments_store_one_row_and_one_event(learner: ApiUser, course_id: str, count) -> None:
    answers = run_concurrently(lambda _: learner.post(f"/api/courses/{course_id}/enroll"))
    assert statuses(answers) == {201: 1, 200: CONCURRENT_REQUESTS - 1}
    assert len({answer.text for answer in answers}) == 1
    assert count("enrollments") == 1
    assert count("outbox WHERE event->>'type' = 'enrollment.created'") == 1


def test_concurrent_completions_store_one_row_and_one_event(
    learner: ApiUser, course_id, lesson, count
) -> None:
    learner.post(f"/api/courses/{course_id}/enroll")
    answers = run_concurrently(lambda _: learner.post(f"/api/lessons/{lesson['id']}/complete"))
    assert statuses(answers) == {200: CONCURRENT_REQUESTS}
    assert count("user_progress") == 1
    assert count("outbox WHERE event->>'type' = 'lesson.completed'") == 1


def test_concurrent_imports_create_one_course(teacher: ApiUser, count) -> None:
    answers = run_concurrently(lambda _: teacher.upload(targz()))
    assert statuses(answers) == {201: 1, 409: CONCURRENT_REQUESTS - 1}
    assert (count("courses"), count("import_reports"), count("lessons"), count("outbox")) == (1, 1, 1, 1)


def test_concurrent_edits_each_raise_the_version(teacher: ApiUser, course_id: str) -> None:
    path = f"/api/courses/{course_id}"
    answers = run_concurrently(lambda number: teacher.patch(path, {"title": f"Edit {number}"}))
    assert statuses(answers) == {200: CONCURRENT_REQUESTS}
    assert sorted(answer.json()["version"] for answer in answers) == list(range(2, CONCURRENT_REQUESTS + 2))
    last = max(answers, key=lambda answer: answer.json()["version"])
    assert teacher.get(path).json() == last.json()


def test_one_of_concurrent_edits_with_the_same_version_succeeds(
    teacher: ApiUser, course_id: str, lesson
) -> None:
    """Edits of the course and of a lesson in it compete."""

    def edit(number: int) -> Response:
        path = f"/api/courses/{course_id}" if number % 2 else f"/api/lessons/{lesson['id']}"
        return teacher.patch(path, {"title": f"Edit {number}", "version": 1})

    assert statuses(run_concurrently(edit)) == {200: 1, 409: CONCURRENT_REQUESTS - 1}
    assert teacher.get(f"/api/courses/{course_id}").json()["version"] == 2


def test_concurrent_repetitions_of_an_attempt_are_graded_once(
    learner: ApiUser, course_id, lesson, committing_client
) -> None:
    learner.post(f"/api/courses/{course_id}/enroll")
    path = f"/api/quizzes/{lesson['quizzes'][0]['id']}/attempts"
    answers = run_concurrently(lambda _: learner.post(path, {"client_attempt_id": "one", "answers": []}))
    found = statuses(answers)
    assert found[201] == 1
    # Requests that arrive while the first one is being stored get 409.
    assert found[200] + found[409] == CONCURRENT_REQUESTS - 1
    assert {answer.json()["code"] for answer in answers if answer.status_code == 409} <= {"attempt_in_flight"}
    attempts = committing_client.app.state.mongo.collection(QUIZ_ATTEMPTS)
    assert attempts.count_documents({}) == 1
    assert learner.post(path, {"client_attempt_id": "one", "answers": []}).status_code == 200
