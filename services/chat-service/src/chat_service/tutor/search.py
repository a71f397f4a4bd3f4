"""Finds the passages of a course that a question is about, by meaning and by words."""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.orm import Session

BEST = 8

# Words weigh by how rare they are in this course (inverse document frequency,
# Spärck Jones 1972), and the two orders are fused by reciprocal rank with the
# usual constant of 60 (Cormack, Clarke and Büttcher 2009).
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


@dataclass(frozen=True)
class Question:
    """`vector`: its embedding, of length 1."""

    text: str
    vector: Sequence[float]


@dataclass(frozen=True)
class Found:
    """A passage that may answer a question.

    `similarity` is the cosine of their vectors, from -1 to 1; `coverage` the
    part of the question's words that the passage has, from 0 to 1, rare words
    counting more.
    """

    number: int
    lesson_id: UUID
    lesson_title: str
    passage: str
    opens_lesson: bool
    similarity: float
    coverage: float


def search(session: Session, course_id: UUID, question: Question) -> list[Found]:
    """The best passages first; empty for a course without text."""
    wanted = {
        "course_id": course_id,
        "question": question.text,
        "vector": str(list(question.vector)),
        "best": BEST,
    }
    return [Found(**row) for row in session.execute(_SEARCH, wanted).mappings()]
