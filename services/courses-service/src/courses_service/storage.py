"""Writes a whole course, with everything in it, in the caller's transaction."""

import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from sqlalchemy import insert
from sqlalchemy.orm import Session

from cogniflow_kit.ids import new_id
from courses_service.content import CourseContent, LessonContent, QuestionContent, QuizContent
from courses_service.markup import plain_text
from courses_service.tables import Base, Choice, Lesson, Question, Quiz, Section

SLUG_LENGTH = 60
_NOT_IN_SLUGS = re.compile(r"[^a-z0-9]+")


def slug_of(title: str, course_id: UUID) -> str:
    """A readable part from the title and a distinct one from the id."""
    ascii_title = unicodedata.normalize("NFKD", title).encode("ascii", "ignore").decode().lower()
    readable = _NOT_IN_SLUGS.sub("-", ascii_title).strip("-")[:SLUG_LENGTH].rstrip("-")
    return f"{readable or 'course'}-{course_id.hex[-8:]}"


def store_sections(session: Session, course_id: UUID, content: CourseContent) -> None:
    """Add everything inside a course that has just been added itself."""
    _Rows(course_id).add_sections(content).write(session)


@dataclass
class _Rows:
    """Rows by table, gathered first: one statement a table instead of one a row."""

    course_id: UUID
    lessons: int = 0
    by_table: dict[type[Base], list[Mapping[str, Any]]] = field(default_factory=dict)

    def add_sections(self, content: CourseContent) -> "_Rows":
        for position, section in enumerate(content.sections, start=1):
            section_id = self._add(Section, course_id=self.course_id, position=position, title=section.title)
            for lesson in section.lessons:
                self._add_lesson(section_id, lesson)
        return self

    def write(self, session: Session) -> None:
        for table in (Section, Lesson, Quiz, Question, Choice):
            if rows := self.by_table.get(table):
                session.execute(insert(table), rows)

    def _add_lesson(self, section_id: UUID, lesson: LessonContent) -> None:
        self.lessons += 1
        lesson_id = self._add(
            Lesson,
            course_id=self.course_id,
            section_id=section_id,
            position=self.lessons,
            title=lesson.title,
            subsection=lesson.subsection,
            html=lesson.html,
            text=plain_text(lesson.html),
        )
        for position, quiz in enumerate(lesson.quizzes, start=1):
            self._add_quiz(lesson_id, position, quiz)

    def _add_quiz(self, lesson_id: UUID, position: int, quiz: QuizContent) -> None:
        quiz_id = self._add(Quiz, lesson_id=lesson_id, position=position, title=quiz.title)
        for number, question in enumerate(quiz.questions, start=1):
            self._add_question(quiz_id, number, question)

    def _add_question(self, quiz_id: UUID, position: int, question: QuestionContent) -> None:
        question_id = self._add(
            Question,
            quiz_id=quiz_id,
            position=position,
            kind=question.kind,
            prompt=question.prompt,
            explanation=question.explanation,
        )
        for number, choice in enumerate(question.choices, start=1):
            self._add(
                Choice,
                question_id=question_id,
                position=number,
                html=choice.html,
                is_correct=choice.is_correct,
                feedback=choice.feedback,
            )

    def _add(self, table: type[Base], **columns: Any) -> UUID:
        row_id = new_id()
        self.by_table.setdefault(table, []).append({"id": row_id, **columns})
        return row_id
