"""Lessons over HTTP."""

from uuid import uuid4

import pytest
from api_users import ApiUser

from courses_service.lessons.schemas import LessonOut


def test_requests_without_token_are_unauthorized(client) -> None:
    assert client.get(f"/api/lessons/{uuid4()}").status_code == 401
    assert client.patch(f"/api/lessons/{uuid4()}", json={}).status_code == 401


def test_reading_a_lesson_requires_enrollment(
    learner, other_teacher, teacher, admin, course, lesson_id
) -> None:
    path = f"/api/lessons/{lesson_id}"
    for other_user in (learner, other_teacher):
        refused = other_user.get(path)
        assert (refused.status_code, refused.json()["code"]) == (403, "enrollment_required")
    learner.post(f"/api/courses/{course['course_id']}/enroll")
    shown = learner.get(path).json()
    assert shown == teacher.get(path).json() == admin.get(path).json()
    assert LessonOut.model_validate(shown)
    assert (shown["title"], shown["subsection"], shown["position"]) == ("Hello", "First steps", 1)
    assert shown["html"] == "<p>Hello <b>there</b>.</p>"


def test_lesson_does_not_contain_correct_answers(teacher: ApiUser, lesson_id: str) -> None:
    answer = teacher.get(f"/api/lessons/{lesson_id}")
    (quiz,) = answer.json()["quizzes"]
    assert [choice["html"] for choice in quiz["questions"][0]["choices"]] == ["1", "2"]
    for secret in ("correct", "explanation", "feedback"):
        assert secret not in answer.text


def test_lesson_of_a_draft_is_not_found(teacher, learner, course, lesson_id) -> None:
    teacher.patch(f"/api/courses/{course['course_id']}", {"status": "draft"})
    assert learner.get(f"/api/lessons/{lesson_id}").json()["code"] == "lesson_not_found"
    assert learner.get(f"/api/lessons/{uuid4()}").json()["code"] == "lesson_not_found"


def test_enrolled_learner_keeps_access_to_an_archived_course(teacher, learner, course, lesson_id) -> None:
    learner.post(f"/api/courses/{course['course_id']}/enroll")
    teacher.patch(f"/api/courses/{course['course_id']}", {"status": "archived"})
    assert learner.get(f"/api/lessons/{lesson_id}").status_code == 200


def test_only_the_owner_edits_a_lesson(learner, other_teacher, lesson_id) -> None:
    path = f"/api/lessons/{lesson_id}"
    assert learner.patch(path, {"title": "x"}).status_code == 403
    assert other_teacher.patch(path, {"title": "x"}).json()["code"] == "not_your_course"


@pytest.mark.parametrize(
    "body",
    [
        {"title": ""},
        {"title": "x" * 256},
        {"html": "x" * 200_001},
        {"html": "<div>" * 600},
        {"text": "x"},
        {"version": 0},
    ],
)
def test_invalid_edits_are_refused(teacher: ApiUser, lesson_id: str, body) -> None:
    path = f"/api/lessons/{lesson_id}"
    before = teacher.get(path).json()
    assert teacher.patch(path, body).status_code == 422
    assert teacher.get(path).json() == before


def test_edit_is_sanitized_and_visible_to_the_next_request(
    teacher, learner, course, lesson_id, chat_service
) -> None:
    path = f"/api/lessons/{lesson_id}"
    learner.post(f"/api/courses/{course['course_id']}/enroll")
    old = learner.get(path).json()
    html = "<h2>New</h2><p onclick='x()'>words</p><script>alert(1)</script>"
    edited = teacher.patch(path, {"title": "Edited", "html": html}).json()
    assert edited["html"] == "<h2>New</h2><p>words</p>"
    assert edited["course_version"] == old["course_version"] + 1
    assert learner.get(path).json() == edited
    outline = learner.get(f"/api/courses/{course['course_id']}/outline").json()
    assert outline["sections"][0]["lessons"][0]["title"] == "Edited"
    texts = chat_service.get(f"/internal/courses/{course['course_id']}/lessons").json()
    assert (texts["version"], texts["lessons"][0]["text"]) == (edited["course_version"], "New\n\nwords")


def test_edit_based_on_an_old_version_is_refused(teacher: ApiUser, lesson_id: str) -> None:
    path = f"/api/lessons/{lesson_id}"
    assert teacher.patch(path, {"title": "First", "version": 1}).status_code == 200
    assert teacher.patch(path, {"title": "Second", "version": 1}).json()["code"] == "edited_meanwhile"
