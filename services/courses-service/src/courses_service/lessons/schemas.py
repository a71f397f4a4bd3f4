"""Bodies of the lesson routes."""

from typing import Literal
from uuid import UUID

from cogniflow_kit.schemas import RequestBody, ResponseBody
from courses_service.courses.schemas import BasedOn, LessonHtml, Title


class ChoiceOut(ResponseBody):
    """Whether it is right is told after an attempt."""

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
    """`html` is sanitized; so is all markup in the quizzes."""

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
    """Fields that are left out or null stay as they are; `version` is the course's."""

    title: Title | None = None
    html: LessonHtml | None = None
    version: BasedOn = None
