"""Export and erasure of a user's personal data."""

from uuid import uuid4

import pytest
from api_users import ApiUser
from sqlalchemy import text

from cogniflow_dev.testing.tokens import headers
from cogniflow_kit.personal_data import ERASE_SCOPE, EXPORT_SCOPE, PAGE
from courses_service.indexes import QUIZ_ATTEMPTS
from courses_service.personal_data import ERASED_INSTRUCTOR, TABLES_WITHOUT_PERSONAL_DATA
from courses_service.tables import metadata


@pytest.fixture
def users_service(client, tokens):
    scopes = f"{EXPORT_SCOPE} {ERASE_SCOPE}"
    return ApiUser(client, headers(tokens.service("users-service", "courses-service", scopes)), uuid4())


@pytest.fixture
def study(course, lesson_id):
    """Call it with a user to enroll them, complete the lesson and answer its quiz."""

    def do(user):
        user.post(f"/api/courses/{course['course_id']}/enroll", key=f"enroll-{user.id}")
        user.post(f"/api/lessons/{lesson_id}/complete")
        quiz = user.get(f"/api/lessons/{lesson_id}").json()["quizzes"][0]
        answers = [
            {"question_id": question["id"], "choice_ids": [question["choices"][0]["id"]]}
            for question in quiz["questions"]
        ]
        body = {"client_attempt_id": f"canary-{user.id}", "answers": answers}
        answer = user.post(f"/api/quizzes/{quiz['id']}/attempts", body)
        assert answer.status_code == 201, answer.text

    return do


def exported(users_service, user_id):
    items, cursor = [], None
    while True:
        params = {"cursor": cursor} if cursor else {}
        page = users_service.get(f"/internal/people/{user_id}/export", params=params).json()
        items += page["items"]
        cursor = page["next_cursor"]
        if cursor is None:
            return items


def test_users_and_services_without_scope_are_refused(client, learner, tokens):
    for method, path, scope in (("GET", "export", ERASE_SCOPE), ("POST", "erase", EXPORT_SCOPE)):
        address = f"/internal/people/{learner.id}/{path}"
        assert client.request(method, address).status_code == 401
        assert client.request(method, address, headers=learner.headers).status_code == 401
        wrong = headers(tokens.service("chat-service", "courses-service", scope))
        assert client.request(method, address, headers=wrong).status_code == 403


@pytest.mark.parametrize("cursor", ["bm9uc2Vuc2U", "WzAsIDFd", "WzksIFtdXQ", "WzAsIFsiXHUwMDAwIl1d"])
def test_invalid_cursor_is_refused(users_service, cursor):
    answer = users_service.get(f"/internal/people/{uuid4()}/export", params={"cursor": cursor})
    assert answer.status_code == 422


def test_every_table_and_collection_is_listed(client, database, settings):
    covered = set(client.app.state.personal_data.stores)
    names = {table.name for table in metadata.tables.values()}
    assert {f"postgresql.{name}" for name in names - TABLES_WITHOUT_PERSONAL_DATA} | {
        f"mongodb.{QUIZ_ATTEMPTS}"
    } == covered
    assert names >= TABLES_WITHOUT_PERSONAL_DATA
    collections = set(client.app.state.mongo.database.list_collection_names())
    assert {f"mongodb.{name}" for name in collections} <= covered


def test_export_and_erasure_cover_all_data_of_one_user_only(
    client, learner, make_user, study, users_service, database
):
    other = make_user(client)
    study(learner), study(other)
    before = exported(users_service, other.id)
    found = exported(users_service, learner.id)
    assert {item["store"] for item in found} == {
        "mongodb.quiz_attempts",
        "postgresql.user_progress",
        "postgresql.enrollments",
        "postgresql.outbox",
    }
    assert f"canary-{learner.id}" in str(found)
    assert str(other.id) not in str(found)

    receipt = users_service.post(f"/internal/people/{learner.id}/erase").json()["erased"]
    assert receipt["mongodb.quiz_attempts"] == receipt["postgresql.enrollments"] == 1
    assert exported(users_service, learner.id) == []
    again = users_service.post(f"/internal/people/{learner.id}/erase").json()["erased"]
    assert set(again.values()) == {0}
    assert exported(users_service, other.id) == before


def test_courses_of_an_erased_instructor_stay(client, teacher, course, admin, users_service, learner):
    path = f"/api/courses/{course['course_id']}"
    assert learner.get(path).json()["instructor_id"] == str(teacher.id)
    found = exported(users_service, teacher.id)
    assert {"postgresql.courses", "postgresql.import_reports"} <= {item["store"] for item in found}
    assert users_service.post(f"/internal/people/{teacher.id}/erase").status_code == 200
    assert learner.get(path).json()["instructor_id"] == str(ERASED_INSTRUCTOR)
    assert admin.patch(path, {"title": "Looked after"}).status_code == 200
    assert exported(users_service, teacher.id) == []


def test_large_export_is_paginated(users_service, database):
    user_id = uuid4()
    with database.transaction() as db:
        db.execute(
            text(
                "INSERT INTO idempotency_keys (owner_id, key, fingerprint, status, answer)"
                " SELECT :owner, 'key ' || n, '', 201, '{}' FROM generate_series(1, :rows) n"
            ),
            {"owner": user_id, "rows": 2 * PAGE + 1},
        )
    first = users_service.get(f"/internal/people/{user_id}/export").json()
    assert len(first["items"]) == PAGE
    keys = [item["record"]["key"] for item in exported(users_service, user_id)]
    assert len(keys) == len(set(keys)) == 2 * PAGE + 1


def test_activity_counts_only_the_callers_own(client, learner, make_user, study):
    assert client.get("/api/courses/activity").status_code == 401
    assert learner.get("/api/courses/activity").json() == {"courses": 0, "lessons": 0}
    study(learner), study(make_user(client))
    assert learner.get("/api/courses/activity").json() == {"courses": 1, "lessons": 1}
