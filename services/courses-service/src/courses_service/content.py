"""What a course consists of before it has rows: made by the OLX reader and the bundled content."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

QuestionKind = Literal["single", "multiple"]
"""One choice is right and one may be given, or any number of either."""


@dataclass(frozen=True)
class ChoiceContent:
    """`html` and `feedback` (shown to whoever chose it) are sanitized."""

    html: str
    is_correct: bool
    feedback: str = ""


@dataclass(frozen=True)
class QuestionContent:
    """`prompt` and `explanation` (shown after an attempt) are sanitized HTML."""

    kind: QuestionKind
    prompt: str
    choices: tuple[ChoiceContent, ...]
    explanation: str = ""


@dataclass(frozen=True)
class QuizContent:
    title: str
    questions: tuple[QuestionContent, ...]


@dataclass(frozen=True)
class LessonContent:
    """`subsection` groups lessons inside a section; `html` is sanitized."""

    title: str
    html: str
    subsection: str = ""
    quizzes: tuple[QuizContent, ...] = ()


@dataclass(frozen=True)
class SectionContent:
    title: str
    lessons: tuple[LessonContent, ...]


@dataclass(frozen=True)
class CourseContent:
    title: str
    description: str
    language: str
    sections: tuple[SectionContent, ...]

    def lessons(self) -> Iterator[LessonContent]:
        for section in self.sections:
            yield from section.lessons

    def quizzes(self) -> Iterator[QuizContent]:
        for lesson in self.lessons():
            yield from lesson.quizzes
