"""The content of a course before it is stored. The OLX reader and the demo loader produce it.

All HTML in these types is sanitized.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

QuestionKind = Literal["single", "multiple"]
"""`single`: exactly one choice is correct and at most one may be chosen. `multiple`: any number."""


@dataclass(frozen=True)
class ChoiceContent:
    """`feedback` is HTML, shown to a learner who chose this choice."""

    html: str
    is_correct: bool
    feedback: str = ""


@dataclass(frozen=True)
class QuestionContent:
    """`prompt` and `explanation` are HTML; the explanation is shown after an attempt."""

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
    """`subsection` groups neighboring lessons of a section."""

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
