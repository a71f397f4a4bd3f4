"""The internal routes, called with service tokens."""

from uuid import UUID, uuid4

import pytest
from api_users import ApiUser

from cogniflow_dev.testing.tokens import headers


@pytest.mark.parametrize("path", ["/internal/courses", f"/internal/courses/{UUID(int=1)}/lessons"])
def test_only_services_with_the_scope_are_allowed(client, tokens, admin, path) -> None:
    assert client.get(path).status_code == 401
    assert admin.get(path).status_code == 401
    wrong = {
        tokens.service("chat-service", "courses-service", "events:write"): 403,
        tokens.service("chat-service", "users-service", "lessons:read"): 401,
        tokens.service("chat-service", "courses-service", "lessons:read", exp=1): 401,
    }
    for token, status in wrong.items():
        assert client.get(path, headers=headers(token)).status_code == status


def test_list_contains_every_course_with_its_version(teacher: ApiUser, chat_service: ApiUser) -> None:
    made = [teacher.creates(title=str(n)) for n in range(3)]
    teacher.patch(f"/api/courses/{made[0]['id']}", {"title": "Edited"})
    first = chat_service.get("/internal/courses", params={"limit": 2}).json()
    rest = chat_service.get("/internal/courses", params={"cursor": first["next_cursor"]}).json()
    assert first["items"] + rest["items"] == [
        {"id": course["id"], "version": version} for course, version in zip(made, (2, 1, 1), strict=True)
    ]


def test_texts_of_a_course(chat_service: ApiUser, course, lesson_id) -> None:
    texts = chat_service.get(f"/internal/courses/{course['course_id']}/lessons").json()
    assert texts == {
        "course_id": course["course_id"],
        "version": 1,
        "title": "Small course",
        "lessons": [{"id": lesson_id, "title": "Hello", "position": 1, "text": "Hello there."}],
    }


def test_unknown_course_is_not_found(chat_service: ApiUser) -> None:
    answer = chat_service.get(f"/internal/courses/{uuid4()}/lessons")
    assert (answer.status_code, answer.json()["code"]) == (404, "course_not_found")
