"""What happens when two people, or one person twice, act at the same time."""

from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import Any

import pytest
from course_archives import targz
from httpx import Response
from people import Person
from sqlalchemy import text

from courses_service.indexes import QUIZ_ATTEMPTS

AT_ONCE = 6


def at_once(call: Callable[[int], Response]) -> list[Response]:
    barrier = Barrier(AT_ONCE)

    def run(number: int) -> Response:
        barrier.wait()
        return call(number)

    with ThreadPoolExecutor(AT_ONCE) as threads:
        return list(threads.map(run, range(AT_ONCE)))


def statuses(answers: list[Response]) -> Counter[int]:
    return Counter(answer.status_code for answer in answers)


@pytest.fixture
def teacher(committing_client, someone) -> Person:
    return someone(committing_client, "instructor")


@pytest.fixture
def learner(committing_client, someone) -> Person:
    return someone(committing_client)


@pytest.fixture
def course_id(teacher: Person) -> str:
    return str(teacher.imports(targz())["course_id"])


@pytest.fixture
def lesson(teacher: Person, course_id: str) -> dict[str, Any]:
    outline = teacher.get(f"/api/courses/{course_id}/outline").json()
    read: dict[str, Any] = teacher.get(f"/api/lessons/{outline['sections'][0]['lessons'][0]['id']}").json()
    return read


@pytest.fixture
def count(committing_client) -> Callable[[str], int]:
    """Rows that a query with this FROM and WHERE finds."""

    def rows(what: str) -> int:
        with committing_client.app.state.database.transaction() as session:
            return int(session.scalars(text(f"SELECT count(*) FROM {what}")).one())

    return rows


def test_enrolling_at_once_is_one_row_and_one_fact(learner: Person, course_id: str, count) -> None:
    answers = at_once(lambda _: learner.post(f"/api/courses/{course_id}/enroll"))
    assert statuses(answers) == {201: 1, 200: AT_ONCE - 1}
    assert len({answer.text for answer in answers}) == 1
    assert count("enrollments") == 1
    assert count("outbox WHERE event->>'type' = 'enrollment.created'") == 1


def test_completing_at_once_is_one_row_and_one_fact(learner: Person, course_id, lesson, count) -> None:
    learner.post(f"/api/courses/{course_id}/enroll")
    answers = at_once(lambda _: learner.post(f"/api/lessons/{lesson['id']}/complete"))
    assert statuses(answers) == {200: AT_ONCE}
    assert count("user_progress") == 1
    assert count("outbox WHERE event->>'type' = 'lesson.completed'") == 1


def test_importing_at_once_makes_one_course(teacher: Person, count) -> None:
    answers = at_once(lambda _: teacher.upload(targz()))
    assert statuses(answers) == {201: 1, 409: AT_ONCE - 1}
    assert (count("courses"), count("import_reports"), count("lessons"), count("outbox")) == (1, 1, 1, 1)


def test_edits_at_once_all_count(teacher: Person, course_id: str) -> None:
    path = f"/api/courses/{course_id}"
    answers = at_once(lambda number: teacher.patch(path, {"title": f"Edit {number}"}))
    assert statuses(answers) == {200: AT_ONCE}
    assert sorted(answer.json()["version"] for answer in answers) == list(range(2, AT_ONCE + 2))
    last = max(answers, key=lambda answer: answer.json()["version"])
    assert teacher.get(path).json() == last.json()


def test_of_edits_based_on_one_version_one_wins(teacher: Person, course_id: str, lesson) -> None:
    """Edits of the course and of a lesson in it, mixed."""

    def edit(number: int) -> Response:
        path = f"/api/courses/{course_id}" if number % 2 else f"/api/lessons/{lesson['id']}"
        return teacher.patch(path, {"title": f"Edit {number}", "version": 1})

    assert statuses(at_once(edit)) == {200: 1, 409: AT_ONCE - 1}
    assert teacher.get(f"/api/courses/{course_id}").json()["version"] == 2


def test_an_attempt_sent_at_once_is_graded_once(
    learner: Person, course_id, lesson, committing_client
) -> None:
    learner.post(f"/api/courses/{course_id}/enroll")
    path = f"/api/quizzes/{lesson['quizzes'][0]['id']}/attempts"
    answers = at_once(lambda _: learner.post(path, {"client_attempt_id": "one", "answers": []}))
    found = statuses(answers)
    assert found[201] == 1
    # Who came while the first was being written is told to ask again.
    assert found[200] + found[409] == AT_ONCE - 1
    assert {answer.json()["code"] for answer in answers if answer.status_code == 409} <= {"attempt_in_flight"}
    attempts = committing_client.app.state.mongo.collection(QUIZ_ATTEMPTS)
    assert attempts.count_documents({}) == 1
    assert learner.post(path, {"client_attempt_id": "one", "answers": []}).status_code == 200
