"""Queries on lessons."""

from uuid import UUID

from sqlalchemy import text
from sqlalchemy.orm import Session

from courses_service.tables import Lesson

DETAIL = text(
    """
    SELECT json_build_object(
        'id', l.id, 'course_id', l.course_id, 'course_version', c.version, 'section_id', l.section_id,
        'position', l.position, 'title', l.title, 'subsection', l.subsection, 'html', l.html,
        'quizzes', (
            SELECT coalesce(json_agg(json_build_object('id', z.id, 'title', z.title, 'questions', (
                SELECT coalesce(json_agg(json_build_object(
                    'id', q.id, 'kind', q.kind, 'prompt', q.prompt, 'choices', (
                        SELECT coalesce(json_agg(
                            json_build_object('id', o.id, 'html', o.html) ORDER BY o.position
                        ), '[]')
                        FROM choices o WHERE o.question_id = q.id
                    )
                ) ORDER BY q.position), '[]')
                FROM questions q WHERE q.quiz_id = z.id
            )) ORDER BY z.position), '[]')
            FROM quizzes z WHERE z.lesson_id = l.id
        )
    )::text
    FROM lessons l JOIN courses c ON c.id = l.course_id WHERE l.id = :lesson_id
    """
)


class LessonRepository:
    def __init__(self, db: Session) -> None:
        self._db = db

    def detail(self, lesson_id: UUID) -> bytes:
        """The lesson with its quizzes as JSON, without the correct answers."""
        body: str = self._db.scalars(DETAIL, {"lesson_id": lesson_id}).one()
        return body.encode()

    def get(self, lesson_id: UUID) -> Lesson:
        return self._db.get_one(Lesson, lesson_id)
