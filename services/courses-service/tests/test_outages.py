"""What still works while a store is away."""

import pytest
from fastapi.testclient import TestClient
from people import Person
from pydantic import SecretStr

from courses_service.app import create_app

NOWHERE = "127.0.0.1:9"


@pytest.fixture
def without(settings, database, tokens):
    """A client whose service finds nobody at the addresses of these stores."""

    def make(**urls: str) -> TestClient:
        changed = settings.model_copy(update={name: SecretStr(url) for name, url in urls.items()})
        own = None if "database_url" in urls else database
        return TestClient(create_app(changed, keys=tokens.keys, database=own), raise_server_exceptions=False)

    return make


def as_on(client: TestClient, person: Person) -> Person:
    return Person(client, person.headers, person.id)


def test_without_redis_reads_and_edits_go_on(without, teacher, learner, course, lesson_id) -> None:
    client = without(redis_url=f"redis://{NOWHERE}/0")
    reader, writer = as_on(client, learner), as_on(client, teacher)
    course_path, lesson_path = f"/api/courses/{course['course_id']}", f"/api/lessons/{lesson_id}"
    learner.post(f"{course_path}/enroll")
    for path in (
        "/api/courses",
        course_path,
        f"{course_path}/outline",
        lesson_path,
        f"{course_path}/progress",
    ):
        for _ in range(5):
            assert reader.get(path).json() == learner.get(path).json()
    assert writer.patch(lesson_path, {"title": "New"}).status_code == 200
    # Redis missed that edit; whoever reads through it sees the new version all the same.
    assert learner.get(lesson_path).json()["title"] == "New"
    assert client.get("/health/ready").json()["stores"]["redis"]["ok"] is False


def test_without_mongodb_only_quizzes_wait(without, learner, course, lesson_id) -> None:
    reader = as_on(without(mongo_url=f"mongodb://{NOWHERE}/courses?timeoutMS=300"), learner)
    reader.post(f"/api/courses/{course['course_id']}/enroll")
    (quiz,) = reader.get(f"/api/lessons/{lesson_id}").json()["quizzes"]
    path = f"/api/quizzes/{quiz['id']}/attempts"
    for answer in (reader.post(path, {"client_attempt_id": "a", "answers": []}), reader.get(path)):
        assert (answer.status_code, answer.json()["code"]) == (503, "service_unavailable")
        assert int(answer.headers["retry-after"]) > 0
    assert reader.post(f"/api/lessons/{lesson_id}/complete").status_code == 200


def test_without_postgresql_every_read_says_so(without, learner) -> None:
    client = without(database_url=f"postgresql+psycopg2://courses:x@{NOWHERE}/cogniflow")
    answer = as_on(client, learner).get("/api/courses")
    assert (answer.status_code, answer.json()["code"]) == (503, "service_unavailable")
    assert client.get("/health/live").status_code == 200
