"""Inserts the sections, lessons and quizzes of a new course in the caller's transaction."""

import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from sqlalchemy import insert
from sqlalchemy.orm import Session

from cogniflow_kit.ids import new_id
from courses_service.content.model import CourseContent, LessonContent, QuestionContent, QuizContent
from courses_service.content.sanitizer import plain_text
from courses_service.tables import Base, Choice, Lesson, Question, Quiz, Section

MAX_SLUG_TITLE_LENGTH = 60
_NOT_IN_SLUGS = re.compile(r"[^a-z0-9]+")


def make_slug(title: str, course_id: UUID) -> str:
    """The title in ASCII, and the end of the id, which makes the slug unique."""
    ascii_title = unicodedata.normalize("NFKD", title).encode("ascii", "ignore").decode().lower()
    readable = _NOT_IN_SLUGS.sub("-", ascii_title).strip("-")[:MAX_SLUG_TITLE_LENGTH].rstrip("-")
    return f"{readable or 'course'}-{course_id.hex[-8:]}"


def insert_content(db: Session, course_id: UUID, content: CourseContent) -> None:
    """Insert everything inside a course whose own row was inserted just before."""
    _ContentRows(course_id).add_sections(content).insert(db)


@dataclass
class _ContentRows:
    """Collects rows by table first: one statement per table instead of one per row."""

    course_id: UUID
    lesson_count: int = 0
    by_table: dict[type[Base], list[Mapping[str, Any]]] = field(default_factory=dict)

    def add_sections(self, content: CourseContent) -> "_ContentRows":
        for position, section in enumerate(content.sections, start=1):
            section_id = self._add(Section, course_id=self.course_id, position=position, title=section.title)
            for lesson in section.lessons:
                self._add_lesson(section_id, lesson)
        return self

    def insert(self, db: Session) -> None:
        for table in (Section, Lesson, Quiz, Question, Choice):
            if rows := self.by_table.get(table):
                db.execute(insert(table), rows)

    def _add_lesson(self, section_id: UUID, lesson: LessonContent) -> None:
        self.lesson_count += 1
        lesson_id = self._add(
            Lesson,
            course_id=self.course_id,
            section_id=section_id,
            position=self.lesson_count,
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
