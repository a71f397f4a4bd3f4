"""Reads a bundled course: `course.yaml`, lessons in Markdown, quizzes in YAML beside them."""

from pathlib import Path
from typing import Self

import yaml
from markdown_it import MarkdownIt
from pydantic import BaseModel, ConfigDict, model_validator

from courses_service.content import (
    ChoiceContent,
    CourseContent,
    LessonContent,
    QuestionContent,
    QuestionKind,
    QuizContent,
    SectionContent,
)
from courses_service.markup import sanitize

_MARKDOWN = MarkdownIt("commonmark", {"html": False}).enable("table")


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid")


class _Lesson(_Part):
    file: str
    title: str
    quiz: str | None = None


class _Section(_Part):
    title: str
    lessons: list[_Lesson]


class _Course(_Part):
    slug: str
    title: str
    description: str
    language: str
    sections: list[_Section]


class _Choice(_Part):
    text: str
    correct: bool = False
    feedback: str = ""


class _Question(_Part):
    kind: QuestionKind
    prompt: str
    choices: list[_Choice]
    explanation: str = ""

    @model_validator(mode="after")
    def _answerable(self) -> Self:
        right = sum(choice.correct for choice in self.choices)
        if len(self.choices) < 2 or not right or (self.kind == "single" and right > 1):
            raise ValueError(f"{self.prompt!r} can't be answered: {right} of its choices are right")
        return self


class _Quiz(_Part):
    title: str
    questions: list[_Question]


def read_bundle(folder: Path) -> tuple[str, CourseContent]:
    """The course's slug and content; a ValidationError says which field is wrong."""
    course = _Course.model_validate(_yaml(folder / "course.yaml"))
    sections = tuple(
        SectionContent(section.title, tuple(_lesson(folder, lesson) for lesson in section.lessons))
        for section in course.sections
    )
    return course.slug, CourseContent(course.title, course.description, course.language, sections)


def _yaml(path: Path) -> object:
    return yaml.safe_load(path.read_text("utf-8"))


def _lesson(folder: Path, lesson: _Lesson) -> LessonContent:
    html = sanitize(_MARKDOWN.render((folder / lesson.file).read_text("utf-8")))
    quizzes = (_quiz(folder / lesson.quiz),) if lesson.quiz else ()
    return LessonContent(lesson.title, html, quizzes=quizzes)


def _quiz(path: Path) -> QuizContent:
    quiz = _Quiz.model_validate(_yaml(path))
    return QuizContent(quiz.title, tuple(map(_question, quiz.questions)))


def _question(question: _Question) -> QuestionContent:
    choices = tuple(
        ChoiceContent(_inline(choice.text), choice.correct, _inline(choice.feedback))
        for choice in question.choices
    )
    prompt, explanation = _inline(question.prompt), _inline(question.explanation)
    return QuestionContent(question.kind, prompt, choices, explanation)


def _inline(text: str) -> str:
    return sanitize(_MARKDOWN.renderInline(text))
