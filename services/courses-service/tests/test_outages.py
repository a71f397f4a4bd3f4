"""Behavior while a store is not available."""

import pytest
from api_users import ApiUser
from fastapi.testclient import TestClient
from pydantic import SecretStr

from courses_service.app import create_app

NOWHERE = "127.0.0.1:9"


@pytest.fixture
def client_without(settings, database, tokens):
    """Call it with store URLs to get a client whose service can't reach those stores."""

    def make(**urls: str) -> TestClient:
        changed = settings.model_copy(update={name: SecretStr(url) for name, url in urls.items()})
        own = None if "database_url" in urls else database
        return TestClient(create_app(changed, keys=tokens.keys, database=own), raise_server_exceptions=False)

    return make


def with_client(client: TestClient, user: ApiUser) -> ApiUser:
    return ApiUser(client, user.headers, user.id)


def test_reads_and_edits_work_without_redis(client_without, teacher, learner, course, lesson_id) -> None:
    client = client_without(redis_url=f"redis://{NOWHERE}/0")
    reader, writer = with_client(client, learner), with_client(client, teacher)
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
    # Redis was not reachable for that edit; readers that use Redis see the new version all the same.
    assert learner.get(lesson_path).json()["title"] == "New"
    assert client.get("/health/ready").json()["stores"]["redis"]["ok"] is False


def test_only_quiz_attempts_fail_without_mongodb(client_without, learner, course, lesson_id) -> None:
    reader = with_client(client_without(mongo_url=f"mongodb://{NOWHERE}/courses?timeoutMS=300"), learner)
    reader.post(f"/api/courses/{course['course_id']}/enroll")
    (quiz,) = reader.get(f"/api/lessons/{lesson_id}").json()["quizzes"]
    path = f"/api/quizzes/{quiz['id']}/attempts"
    for answer in (reader.post(path, {"client_attempt_id": "a", "answers": []}), reader.get(path)):
        assert (answer.status_code, answer.json()["code"]) == (503, "service_unavailable")
        assert int(answer.headers["retry-after"]) > 0
    assert reader.post(f"/api/lessons/{lesson_id}/complete").status_code == 200


def test_reads_answer_503_without_postgresql(client_without, learner) -> None:
    client = client_without(database_url=f"postgresql+psycopg2://courses:x@{NOWHERE}/cogniflow")
    answer = with_client(client, learner).get("/api/courses")
    assert (answer.status_code, answer.json()["code"]) == (503, "service_unavailable")
    assert client.get("/health/live").status_code == 200
