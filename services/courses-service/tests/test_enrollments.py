"""Enrollments and progress over HTTP."""

from uuid import uuid4

import pytest
from api_users import ApiUser

from courses_service.enrollments.schemas import ProgressOut


@pytest.fixture
def path(course) -> str:
    return f"/api/courses/{course['course_id']}"


def test_requests_without_token_are_unauthorized(client) -> None:
    assert client.post(f"/api/courses/{uuid4()}/enroll").status_code == 401
    assert client.get(f"/api/courses/{uuid4()}/progress").status_code == 401
    assert client.post(f"/api/lessons/{uuid4()}/complete").status_code == 401


def test_repeated_enrollment_stores_one_row_and_one_event(
    learner: ApiUser, path: str, course, events
) -> None:
    first = learner.post(f"{path}/enroll")
    again = learner.post(f"{path}/enroll")
    assert (first.status_code, again.status_code) == (201, 200)
    assert again.json() == first.json()
    (event,) = [event for event in events() if event["type"] == "enrollment.created"]
    assert (event["actor_id"], event["data"]) == (str(learner.id), {"course_id": course["course_id"]})


def test_drafts_accept_no_enrollment(teacher: ApiUser, learner: ApiUser, path: str) -> None:
    teacher.patch(path, {"status": "draft"})
    assert learner.post(f"{path}/enroll").json()["code"] == "course_not_found"
    refused = teacher.post(f"{path}/enroll")
    assert (refused.status_code, refused.json()["code"]) == (409, "not_open")
    assert learner.post(f"/api/courses/{uuid4()}/enroll").status_code == 404


def test_progress_requires_enrollment(learner: ApiUser, teacher: ApiUser, path: str) -> None:
    for user in (learner, teacher):
        answer = user.get(f"{path}/progress")
        assert (answer.status_code, answer.json()["code"]) == (404, "not_enrolled")
    unknown = learner.get(f"/api/courses/{uuid4()}/progress")
    assert (unknown.status_code, unknown.json()["code"]) == (404, "not_enrolled")


def test_completion_requires_enrollment(learner, teacher, lesson_id, events) -> None:
    for user in (learner, teacher):
        refused = user.post(f"/api/lessons/{lesson_id}/complete")
        assert (refused.status_code, refused.json()["code"]) == (403, "enrollment_required")
    assert learner.post(f"/api/lessons/{uuid4()}/complete").status_code == 404
    assert [event for event in events() if event["type"] == "lesson.completed"] == []


def test_repeated_completion_counts_once(learner: ApiUser, path: str, lesson_id: str, course, events) -> None:
    learner.post(f"{path}/enroll")
    first = learner.post(f"/api/lessons/{lesson_id}/complete")
    again = learner.post(f"/api/lessons/{lesson_id}/complete")
    assert (first.status_code, again.json()) == (200, first.json())
    (event,) = [event for event in events() if event["type"] == "lesson.completed"]
    assert event["data"] == {"course_id": course["course_id"], "lesson_id": lesson_id}
    progress = learner.get(f"{path}/progress").json()
    assert ProgressOut.model_validate(progress)
    assert (progress["completed_lessons"], progress["total_lessons"], progress["percent"]) == (1, 1, 100.0)
    assert progress["lessons"][0]["completed_at"] == first.json()["completed_at"]


def test_progress_is_rounded_down_and_per_learner(teacher, learner, other_teacher) -> None:
    lessons = [{"title": str(n)} for n in range(3)]
    made = teacher.creates(sections=[{"title": "S", "lessons": lessons}], status="published")
    path = f"/api/courses/{made['id']}"
    outline = teacher.get(f"{path}/outline").json()
    first, second, _ = (lesson["id"] for lesson in outline["sections"][0]["lessons"])
    for user in (learner, other_teacher):
        user.post(f"{path}/enroll")
    for lesson in (first, second):
        learner.post(f"/api/lessons/{lesson}/complete")
    mine = learner.get(f"{path}/progress").json()
    assert (mine["completed_lessons"], mine["total_lessons"], mine["percent"]) == (2, 3, 66.6)
    assert [bool(lesson["completed_at"]) for lesson in mine["lessons"]] == [True, True, False]
    theirs = other_teacher.get(f"{path}/progress").json()
    assert (theirs["completed_lessons"], theirs["percent"]) == (0, 0)


def test_progress_of_a_course_without_lessons_is_zero(teacher: ApiUser, learner: ApiUser) -> None:
    path = f"/api/courses/{teacher.creates(status='published')['id']}"
    learner.post(f"{path}/enroll")
    progress = learner.get(f"{path}/progress").json()
    assert (progress["total_lessons"], progress["percent"], progress["lessons"]) == (0, 0, [])
