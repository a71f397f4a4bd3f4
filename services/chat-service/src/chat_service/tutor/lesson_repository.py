"""Queries on the lesson index in PostgreSQL: search, and replacing the passages of a course."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import delete, select, text
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from chat_service.tables import CourseIndex, LessonChunk
from cogniflow_kit.ids import utc_now

SEARCH_RESULTS = 8

# Words weigh by how rare they are in the course (inverse document frequency,
# Spärck Jones 1972). The rankings by meaning and by words are fused by
# reciprocal rank with the usual constant 60 (Cormack, Clarke and Büttcher 2009).
_SEARCH = text(r"""
WITH chunks AS (
    SELECT number, lesson_id, lesson_title, passage, search,
           number = min(number) OVER (PARTITION BY lesson_id) AS opens_lesson,
           1 - (embedding <=> CAST(:vector AS vector)) AS similarity
    FROM lesson_chunks WHERE course_id = :course_id
), terms AS (
    SELECT lexeme, CAST('''' || replace(replace(lexeme, '\', '\\'), '''', '''''') || '''' AS tsquery) AS query
    FROM unnest(to_tsvector('english', :question))
), hits AS (
    SELECT lexeme, number FROM terms JOIN chunks ON search @@ query
), weights AS (
    SELECT lexeme, ln(((SELECT count(*) FROM chunks) + 1) / (count(number) + 0.5)) AS weight
    FROM terms LEFT JOIN hits USING (lexeme) GROUP BY lexeme
), covered AS (
    SELECT number, sum(weight) / (SELECT sum(weight) FROM weights) AS coverage
    FROM hits JOIN weights USING (lexeme) GROUP BY number
), ranked AS (
    SELECT chunks.*, CAST(coalesce(coverage, 0) AS double precision) AS coverage,
           rank() OVER (ORDER BY similarity DESC) AS by_meaning,
           rank() OVER (ORDER BY coalesce(coverage, 0) DESC) AS by_words
    FROM chunks LEFT JOIN covered USING (number)
)
SELECT number, lesson_id, lesson_title, passage, opens_lesson, similarity, coverage
FROM ranked ORDER BY 1.0 / (60 + by_meaning) + 1.0 / (60 + by_words) DESC, number LIMIT :best
""")
_JOBS_IN_PROGRESS = text(
    "SELECT arguments->>'course_id' FROM jobs WHERE name = 'index_course' AND status IN ('queued', 'running')"
)


@dataclass(frozen=True)
class Question:
    """`vector`: the embedding of the text, of length 1."""

    text: str
    vector: Sequence[float]


@dataclass(frozen=True)
class FoundPassage:
    """A passage that may answer a question.

    `number`: its position in the course. `similarity`: cosine of the two
    embeddings, from -1 to 1. `coverage`: the part of the question's words that
    the passage contains, from 0 to 1; rare words count more.
    """

    number: int
    lesson_id: UUID
    lesson_title: str
    passage: str
    opens_lesson: bool
    similarity: float
    coverage: float


class LessonRepository:
    def __init__(self, db: Session) -> None:
        self._db = db

    def search(self, course_id: UUID, question: Question) -> list[FoundPassage]:
        """Return the best passages, best first; empty for a course without text."""
        parameters = {
            "course_id": course_id,
            "question": question.text,
            "vector": str(list(question.vector)),
            "best": SEARCH_RESULTS,
        }
        return [FoundPassage(**row) for row in self._db.execute(_SEARCH, parameters).mappings()]

    def indexed_version(self, course_id: UUID) -> int | None:
        return self._db.scalar(select(CourseIndex.version).where(CourseIndex.course_id == course_id))

    def indexed_versions(self) -> dict[UUID, int]:
        return dict(self._db.execute(select(CourseIndex.course_id, CourseIndex.version)).all())

    def set_version(self, course_id: UUID, version: int, title: str, chunks: int) -> bool:
        """Lock the course's row and set its version. Returns False when a newer version is indexed."""
        values = {"version": version, "title": title, "chunks": chunks, "indexed_at": utc_now()}
        statement = (
            insert(CourseIndex)
            .values(course_id=course_id, **values)
            .on_conflict_do_update(
                index_elements=[CourseIndex.course_id], set_=values, where=CourseIndex.version <= version
            )
            .returning(CourseIndex.course_id)
        )
        return self._db.scalar(statement) is not None

    def replace_passages(self, course_id: UUID, rows: list[dict[str, Any]]) -> None:
        self._db.execute(delete(LessonChunk).where(LessonChunk.course_id == course_id))
        if rows:
            self._db.execute(insert(LessonChunk), rows)

    def delete(self, course_id: UUID) -> None:
        self._db.execute(delete(CourseIndex).where(CourseIndex.course_id == course_id))

    def courses_in_progress(self) -> set[str]:
        """Return the ids of courses for which an indexing job is queued or running."""
        return set(self._db.scalars(_JOBS_IN_PROGRESS))
