"""The bundled courses: valid, loaded once, never overwritten."""

from uuid import NAMESPACE_URL, uuid5

import pytest
from api_users import ApiUser
from pydantic import ValidationError

from cogniflow_dev.testing.tokens import headers
from courses_service.content.sanitizer import plain_text
from courses_service.demo.course_files import read_course_folder
from courses_service.demo.loader import DEMO_INSTRUCTOR, load_demo_courses


@pytest.fixture
def instructor(client, tokens) -> ApiUser:
    return ApiUser(client, headers(tokens.user("instructor", DEMO_INSTRUCTOR)), DEMO_INSTRUCTOR)


def test_bundled_course_is_complete(settings) -> None:
    slug, content = read_course_folder(settings.content_dir / "courses" / "how-memory-works")
    assert slug == "how-memory-works"
    assert [len(section.lessons) for section in content.sections] == [3, 3, 3]
    assert len(list(content.quizzes())) >= 5
    assert all(len(plain_text(lesson.html)) > 1000 for lesson in content.lessons())


def test_demo_instructor_id_is_the_one_of_users_service() -> None:
    assert uuid5(NAMESPACE_URL, "https://cogniflow.invalid/demo/instructor") == DEMO_INSTRUCTOR


def test_demo_course_is_loaded_once_for_the_demo_instructor(settings, database, instructor, events) -> None:
    for _ in range(2):
        load_demo_courses(database, settings.content_dir)
    (course,) = instructor.get("/api/courses").json()["items"]
    assert (course["slug"], course["instructor_id"]) == ("how-memory-works", str(instructor.id))
    assert instructor.get(f"/api/courses/{course['id']}").json()["lessons"] == 9
    assert events() == []


def test_loading_again_keeps_edits_of_the_instructor(settings, database, instructor) -> None:
    load_demo_courses(database, settings.content_dir)
    (course,) = instructor.get("/api/courses").json()["items"]
    instructor.patch(f"/api/courses/{course['id']}", {"title": "Ours now", "status": "draft"})
    load_demo_courses(database, settings.content_dir)
    kept = instructor.get(f"/api/courses/{course['id']}").json()
    assert (kept["title"], kept["status"], kept["lessons"]) == ("Ours now", "draft", 9)


def test_bundled_quiz_without_valid_answer_is_refused(tmp_path) -> None:
    (tmp_path / "course.yaml").write_text(
        "{slug: s, title: T, description: D, language: en,"
        " sections: [{title: S, lessons: [{file: a.md, title: A, quiz: q.yaml}]}]}"
    )
    (tmp_path / "a.md").write_text("Text")
    question = "{kind: single, prompt: P, choices: [{text: a, correct: true}, {text: b, correct: true}]}"
    (tmp_path / "q.yaml").write_text(f"{{title: Q, questions: [{question}]}}")
    with pytest.raises(ValidationError, match="can't be answered"):
        read_course_folder(tmp_path)
