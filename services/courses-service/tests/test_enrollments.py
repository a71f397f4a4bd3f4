"""Enrollments and progress over HTTP."""

from uuid import uuid4

import pytest
from people import Person

from courses_service.enrollments.schemas import ProgressOut


@pytest.fixture
def path(course) -> str:
    return f"/api/courses/{course['course_id']}"


def test_without_a_token_there_is_nothing(client) -> None:
    assert client.post(f"/api/courses/{uuid4()}/enroll").status_code == 401
    assert client.get(f"/api/courses/{uuid4()}/progress").status_code == 401
    assert client.post(f"/api/lessons/{uuid4()}/complete").status_code == 401


def test_enrolling_twice_is_one_enrollment_and_one_fact(learner: Person, path: str, course, facts) -> None:
    first = learner.post(f"{path}/enroll")
    again = learner.post(f"{path}/enroll")
    assert (first.status_code, again.status_code) == (201, 200)
    assert again.json() == first.json()
    (fact,) = [fact for fact in facts() if fact["type"] == "enrollment.created"]
    assert (fact["actor_id"], fact["data"]) == (str(learner.id), {"course_id": course["course_id"]})


def test_nobody_enrolls_in_what_is_not_open(teacher: Person, learner: Person, path: str) -> None:
    teacher.patch(path, {"status": "draft"})
    assert learner.post(f"{path}/enroll").json()["code"] == "course_not_found"
    refused = teacher.post(f"{path}/enroll")
    assert (refused.status_code, refused.json()["code"]) == (409, "not_open")
    assert learner.post(f"/api/courses/{uuid4()}/enroll").status_code == 404


def test_progress_is_for_the_enrolled(learner: Person, teacher: Person, path: str) -> None:
    for person in (learner, teacher):
        answer = person.get(f"{path}/progress")
        assert (answer.status_code, answer.json()["code"]) == (404, "not_enrolled")
    unknown = learner.get(f"/api/courses/{uuid4()}/progress")
    assert (unknown.status_code, unknown.json()["code"]) == (404, "not_enrolled")


def test_who_is_not_enrolled_completes_nothing(learner, teacher, lesson_id, facts) -> None:
    for person in (learner, teacher):
        refused = person.post(f"/api/lessons/{lesson_id}/complete")
        assert (refused.status_code, refused.json()["code"]) == (403, "enrollment_required")
    assert learner.post(f"/api/lessons/{uuid4()}/complete").status_code == 404
    assert [fact for fact in facts() if fact["type"] == "lesson.completed"] == []


def test_completing_twice_counts_once(learner: Person, path: str, lesson_id: str, course, facts) -> None:
    learner.post(f"{path}/enroll")
    first = learner.post(f"/api/lessons/{lesson_id}/complete")
    again = learner.post(f"/api/lessons/{lesson_id}/complete")
    assert (first.status_code, again.json()) == (200, first.json())
    (fact,) = [fact for fact in facts() if fact["type"] == "lesson.completed"]
    assert fact["data"] == {"course_id": course["course_id"], "lesson_id": lesson_id}
    progress = learner.get(f"{path}/progress").json()
    assert ProgressOut.model_validate(progress)
    assert (progress["completed_lessons"], progress["total_lessons"], progress["percent"]) == (1, 1, 100.0)
    assert progress["lessons"][0]["completed_at"] == first.json()["completed_at"]


def test_progress_is_rounded_down_and_everyones_own(teacher, learner, other_teacher) -> None:
    lessons = [{"title": str(n)} for n in range(3)]
    made = teacher.creates(sections=[{"title": "S", "lessons": lessons}], status="published")
    path = f"/api/courses/{made['id']}"
    outline = teacher.get(f"{path}/outline").json()
    first, second, _ = (lesson["id"] for lesson in outline["sections"][0]["lessons"])
    for person in (learner, other_teacher):
        person.post(f"{path}/enroll")
    for lesson in (first, second):
        learner.post(f"/api/lessons/{lesson}/complete")
    mine = learner.get(f"{path}/progress").json()
    assert (mine["completed_lessons"], mine["total_lessons"], mine["percent"]) == (2, 3, 66.6)
    assert [bool(lesson["completed_at"]) for lesson in mine["lessons"]] == [True, True, False]
    theirs = other_teacher.get(f"{path}/progress").json()
    assert (theirs["completed_lessons"], theirs["percent"]) == (0, 0)


def test_a_course_without_lessons_has_no_progress(teacher: Person, learner: Person) -> None:
    path = f"/api/courses/{teacher.creates(status='published')['id']}"
    learner.post(f"{path}/enroll")
    progress = learner.get(f"{path}/progress").json()
    assert (progress["total_lessons"], progress["percent"], progress["lessons"]) == (0, 0, [])
