"""The bundled courses: right as they are, loaded once, and never overwritten."""

from uuid import NAMESPACE_URL, uuid5

import pytest
from people import Person
from pydantic import ValidationError

from cogniflow_dev.testing.tokens import headers
from courses_service.demo.bundle import read_bundle
from courses_service.demo.loader import DEMO_INSTRUCTOR, load_demo_courses
from courses_service.markup import plain_text


@pytest.fixture
def instructor(client, tokens) -> Person:
    return Person(client, headers(tokens.user("instructor", DEMO_INSTRUCTOR)), DEMO_INSTRUCTOR)


def test_the_bundled_course_is_whole(settings) -> None:
    slug, content = read_bundle(settings.content_dir / "courses" / "how-memory-works")
    assert slug == "how-memory-works"
    assert [len(section.lessons) for section in content.sections] == [3, 3, 3]
    assert len(list(content.quizzes())) >= 5
    assert all(len(plain_text(lesson.html)) > 1000 for lesson in content.lessons())


def test_the_demo_instructor_is_who_users_service_makes() -> None:
    assert uuid5(NAMESPACE_URL, "https://cogniflow.invalid/demo/instructor") == DEMO_INSTRUCTOR


def test_it_is_loaded_once_and_belongs_to_the_demo_instructor(settings, database, instructor, facts) -> None:
    for _ in range(2):
        load_demo_courses(database, settings.content_dir)
    (course,) = instructor.get("/api/courses").json()["items"]
    assert (course["slug"], course["instructor_id"]) == ("how-memory-works", str(instructor.id))
    assert instructor.get(f"/api/courses/{course['id']}").json()["lessons"] == 9
    assert facts() == []


def test_what_an_instructor_changed_stays(settings, database, instructor) -> None:
    load_demo_courses(database, settings.content_dir)
    (course,) = instructor.get("/api/courses").json()["items"]
    instructor.patch(f"/api/courses/{course['id']}", {"title": "Ours now", "status": "draft"})
    load_demo_courses(database, settings.content_dir)
    kept = instructor.get(f"/api/courses/{course['id']}").json()
    assert (kept["title"], kept["status"], kept["lessons"]) == ("Ours now", "draft", 9)


def test_a_quiz_that_cannot_be_answered_is_refused(tmp_path) -> None:
    (tmp_path / "course.yaml").write_text(
        "{slug: s, title: T, description: D, language: en,"
        " sections: [{title: S, lessons: [{file: a.md, title: A, quiz: q.yaml}]}]}"
    )
    (tmp_path / "a.md").write_text("Text")
    question = "{kind: single, prompt: P, choices: [{text: a, correct: true}, {text: b, correct: true}]}"
    (tmp_path / "q.yaml").write_text(f"{{title: Q, questions: [{question}]}}")
    with pytest.raises(ValidationError, match="can't be answered"):
        read_bundle(tmp_path)
