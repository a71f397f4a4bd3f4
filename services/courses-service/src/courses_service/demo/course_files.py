"""Reads a bundled course from its folder: `course.yaml`, lessons in Markdown, quizzes in YAML."""

from pathlib import Path
from typing import Self

import yaml
from markdown_it import MarkdownIt
from pydantic import BaseModel, ConfigDict, model_validator

from courses_service.content.model import (
    ChoiceContent,
    CourseContent,
    LessonContent,
    QuestionContent,
    QuestionKind,
    QuizContent,
    SectionContent,
)
from courses_service.content.sanitizer import sanitize

_MARKDOWN = MarkdownIt("commonmark", {"html": False}).enable("table")


class _FileModel(BaseModel):
    model_config = ConfigDict(extra="forbid")


class _Lesson(_FileModel):
    file: str
    title: str
    quiz: str | None = None


class _Section(_FileModel):
    title: str
    lessons: list[_Lesson]


class _Course(_FileModel):
    slug: str
    title: str
    description: str
    language: str
    sections: list[_Section]


class _Choice(_FileModel):
    text: str
    correct: bool = False
    feedback: str = ""


class _Question(_FileModel):
    kind: QuestionKind
    prompt: str
    choices: list[_Choice]
    explanation: str = ""

    @model_validator(mode="after")
    def _check_correct_choices(self) -> Self:
        correct = sum(choice.correct for choice in self.choices)
        if len(self.choices) < 2 or not correct or (self.kind == "single" and correct > 1):
            raise ValueError(f"{self.prompt!r} can't be answered: {correct} of its choices are right")
        return self


class _Quiz(_FileModel):
    title: str
    questions: list[_Question]


def read_course_folder(folder: Path) -> tuple[str, CourseContent]:
    """Return the course's slug and content. Raises: ValidationError (a file has a wrong or missing field)."""
    course = _Course.model_validate(_load_yaml(folder / "course.yaml"))
    sections = tuple(
        SectionContent(section.title, tuple(_lesson(folder, lesson) for lesson in section.lessons))
        for section in course.sections
    )
    return course.slug, CourseContent(course.title, course.description, course.language, sections)


def _load_yaml(path: Path) -> object:
    return yaml.safe_load(path.read_text("utf-8"))


def _lesson(folder: Path, lesson: _Lesson) -> LessonContent:
    html = sanitize(_MARKDOWN.render((folder / lesson.file).read_text("utf-8")))
    quizzes = (_quiz(folder / lesson.quiz),) if lesson.quiz else ()
    return LessonContent(lesson.title, html, quizzes=quizzes)


def _quiz(path: Path) -> QuizContent:
    quiz = _Quiz.model_validate(_load_yaml(path))
    return QuizContent(quiz.title, tuple(map(_question, quiz.questions)))


def _question(question: _Question) -> QuestionContent:
    choices = tuple(
        ChoiceContent(_inline_html(choice.text), choice.correct, _inline_html(choice.feedback))
        for choice in question.choices
    )
    prompt, explanation = _inline_html(question.prompt), _inline_html(question.explanation)
    return QuestionContent(question.kind, prompt, choices, explanation)


def _inline_html(text: str) -> str:
    return sanitize(_MARKDOWN.renderInline(text))
