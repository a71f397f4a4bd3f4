"""Courses over HTTP: visibility, edits, pagination and caching."""

from uuid import uuid4

import pytest
from api_users import ApiUser
from redis import Redis

from courses_service.courses.schemas import CourseDetail, Outline

SECTIONS = [
    {"title": "One", "lessons": [{"title": "A", "html": "<p>x</p>"}, {"title": "B"}]},
    {"title": "Two"},
]


def test_requests_without_token_are_unauthorized(client) -> None:
    for method, path in (
        ("get", "/api/courses"),
        ("post", "/api/courses"),
        ("get", f"/api/courses/{uuid4()}"),
        ("patch", f"/api/courses/{uuid4()}"),
        ("get", f"/api/courses/{uuid4()}/outline"),
    ):
        assert getattr(client, method)(path).status_code == 401


def test_students_may_not_create_or_edit_courses(learner: ApiUser, course) -> None:
    assert learner.post("/api/courses", {"title": "Mine"}).status_code == 403
    assert learner.patch(f"/api/courses/{course['course_id']}", {"title": "Mine"}).status_code == 403


def test_draft_is_visible_to_owner_and_admins_only(teacher, other_teacher, learner, admin) -> None:
    draft = teacher.creates(title="Secret")
    path = f"/api/courses/{draft['id']}"
    for other in (other_teacher, learner):
        for part in ("", "/outline"):
            answer = other.get(path + part)
            assert (answer.status_code, answer.json()["code"]) == (404, "course_not_found")
    assert other_teacher.patch(path, {"title": "Mine"}).status_code == 404
    assert teacher.get(path).json() == admin.get(path).json() == draft


def test_only_owner_and_admins_edit_a_published_course(teacher, other_teacher, admin) -> None:
    path = f"/api/courses/{teacher.creates(status='published')['id']}"
    refused = other_teacher.patch(path, {"title": "Mine"})
    assert (refused.status_code, refused.json()["code"]) == (403, "not_your_course")
    assert admin.patch(path, {"title": "By an admin"}).json()["title"] == "By an admin"


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"title": ""},
        {"title": "x" * 256},
        {"title": "x", "unknown": 1},
        {"title": "x", "language": "klingon!"},
        {"title": "x", "description": "a\x00b"},
        {"title": "x", "sections": [{"title": "s", "lessons": [{"title": "l", "html": "x" * 200_001}]}]},
        {"title": "x", "sections": [{"title": "s", "lessons": [{"title": "l", "text": "x"}]}]},
        {"title": "x", "sections": [{"title": "s"}] * 101},
        {"title": "x", "sections": [{"title": "s", "lessons": [{"title": "l", "html": "<div>" * 600}]}]},
    ],
)
def test_invalid_courses_are_refused_and_not_stored(teacher: ApiUser, admin: ApiUser, body) -> None:
    answer = teacher.post("/api/courses", body)
    assert (answer.status_code, answer.headers["content-type"]) == (422, "application/problem+json")
    assert admin.get("/api/courses").json()["items"] == []


def test_create_course(teacher: ApiUser) -> None:
    made = teacher.creates(title="Café & Crème", description="D", sections=SECTIONS)
    assert CourseDetail.model_validate(made)
    assert (made["status"], made["version"], made["language"]) == ("draft", 1, "en")
    assert (made["sections"], made["lessons"], made["quizzes"]) == (2, 2, 0)
    assert made["slug"].startswith("cafe-creme-")
    outline = teacher.get(f"/api/courses/{made['id']}/outline").json()
    assert Outline.model_validate(outline)
    assert [(s["title"], [x["title"] for x in s["lessons"]]) for s in outline["sections"]] == [
        ("One", ["A", "B"]),
        ("Two", []),
    ]


def test_repeated_idempotency_key_creates_one_course(teacher: ApiUser) -> None:
    first = teacher.post("/api/courses", {"title": "Once"}, key="k")
    again = teacher.post("/api/courses", {"title": "Once"}, key="k")
    assert (again.status_code, again.json()) == (201, first.json())
    assert again.headers["idempotency-replayed"] == "true"
    assert teacher.post("/api/courses", {"title": "Other"}, key="k").status_code == 422


def test_list_contains_published_courses_in_pages(teacher: ApiUser, learner: ApiUser) -> None:
    teacher.creates(title="Draft")
    made = [teacher.creates(title=f"Course {n}", status="published")["id"] for n in range(5)]
    seen, cursor = [], None
    while True:
        page = learner.get(
            "/api/courses", params={"limit": 2, **({"cursor": cursor} if cursor else {})}
        ).json()
        seen += [course["id"] for course in page["items"]]
        cursor = page["next_cursor"]
        if cursor is None:
            break
    assert seen == made


def test_edit_is_visible_to_the_next_request(teacher: ApiUser, learner: ApiUser) -> None:
    course = teacher.creates(title="Old", status="published")
    path = f"/api/courses/{course['id']}"
    for _ in range(2):
        assert learner.get(path).json()["title"] == "Old"
        assert learner.get("/api/courses").json()["items"][0]["title"] == "Old"
        assert learner.get(f"{path}/outline").json()["title"] == "Old"
    edited = teacher.patch(path, {"title": "New"}).json()
    assert edited["version"] == course["version"] + 1
    assert edited["updated_at"] > course["updated_at"]
    assert learner.get(path).json() == edited
    assert learner.get("/api/courses").json()["items"][0]["title"] == "New"
    assert learner.get(f"{path}/outline").json()["title"] == "New"


def test_unpublished_course_is_hidden_from_the_next_request(teacher: ApiUser, learner: ApiUser) -> None:
    path = f"/api/courses/{teacher.creates(status='published')['id']}"
    assert len(learner.get("/api/courses").json()["items"]) == 1
    teacher.patch(path, {"status": "archived"})
    assert learner.get("/api/courses").json()["items"] == []
    assert learner.get(path).status_code == 404


def test_empty_edit_changes_nothing(teacher: ApiUser) -> None:
    course = teacher.creates()
    assert teacher.patch(f"/api/courses/{course['id']}", {}).json() == course


def test_edit_based_on_an_old_version_is_refused(teacher: ApiUser) -> None:
    course = teacher.creates()
    path = f"/api/courses/{course['id']}"
    assert teacher.patch(path, {"title": "First", "version": 1}).status_code == 200
    late = teacher.patch(path, {"title": "Second", "version": 1})
    assert (late.status_code, late.json()["code"]) == (409, "edited_meanwhile")
    assert teacher.get(path).json()["title"] == "First"


def test_cached_and_fresh_responses_are_equal(teacher: ApiUser, learner: ApiUser, course, app) -> None:
    paths = [
        f"/api/courses/{course['course_id']}",
        f"/api/courses/{course['course_id']}/outline",
        "/api/courses",
    ]
    fresh = [learner.get(path).content for path in paths]
    assert [learner.get(path).content for path in paths] == fresh


def test_page_is_read_from_redis(learner: ApiUser, course, settings) -> None:
    """The value in Redis under the current versions is the response body."""
    first = learner.get("/api/courses").content
    with Redis.from_url(settings.redis_url.get_secret_value()) as redis:
        (key,) = redis.scan_iter(match="courses:cache:courses:*")
        assert redis.get(key) == first
        assert 0 < redis.ttl(key) <= 3600
        redis.set(key, b'{"from": "redis"}')
    assert learner.get("/api/courses").json() == {"from": "redis"}
