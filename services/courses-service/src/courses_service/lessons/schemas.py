"""Request and response bodies of the lesson routes."""

from typing import Literal
from uuid import UUID

from cogniflow_kit.schemas import RequestBody, ResponseBody
from courses_service.courses.schemas import BasedOn, LessonHtml, Title


class ChoiceOut(ResponseBody):
    """A choice without `is_correct`, which only the result of an attempt contains."""

    id: UUID
    html: str


class QuestionOut(ResponseBody):
    id: UUID
    kind: Literal["single", "multiple"]
    prompt: str
    choices: list[ChoiceOut]


class QuizOut(ResponseBody):
    id: UUID
    title: str
    questions: list[QuestionOut]


class LessonOut(ResponseBody):
    """All HTML, of the lesson and of its quizzes, is sanitized."""

    id: UUID
    course_id: UUID
    course_version: int
    section_id: UUID
    position: int
    title: str
    subsection: str
    html: str
    quizzes: list[QuizOut]


class LessonEdit(RequestBody):
    """Missing or null fields stay unchanged. `version`: the course version that the edit is based on."""

    title: Title | None = None
    html: LessonHtml | None = None
    version: BasedOn = None
