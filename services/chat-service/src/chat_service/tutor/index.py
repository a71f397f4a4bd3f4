"""Keeps the passages of courses as they are in courses-service."""

import time
from collections.abc import Iterator
from dataclasses import dataclass
from uuid import UUID

import structlog
from sqlalchemy import delete, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from chat_service import tables
from chat_service.embedding import embed
from chat_service.tutor.courses import CourseLessons, CoursesClient, Lesson
from chat_service.tutor.errors import CourseNotReady
from chat_service.tutor.passages import passages
from cogniflow_kit.ids import new_id, utc_now
from cogniflow_kit.sql.database import Database

log = structlog.stdlib.get_logger(__name__)

_BATCH = 128
"""Passages embedded between two looks at the clock: some 50 ms of work."""


@dataclass(frozen=True)
class _Passage:
    lesson: Lesson
    text: str


class LessonIndex:
    """One course is replaced as a whole, in one transaction: readers see the old one or the new one."""

    def __init__(self, database: Database, courses: CoursesClient) -> None:
        self._database = database
        self._courses = courses

    def version(self, course_id: UUID) -> int | None:
        """The version of the course that is indexed, or None."""
        with self._database.transaction() as session:
            return session.scalar(
                select(tables.CourseIndex.version).where(tables.CourseIndex.course_id == course_id)
            )

    def versions(self) -> dict[UUID, int]:
        with self._database.transaction() as session:
            rows = session.execute(select(tables.CourseIndex.course_id, tables.CourseIndex.version))
            return dict(rows.all())

    def refresh(self, course_id: UUID, *, within_s: float | None = None) -> None:
        """Index the course as it is now. Raises CourseNotReady when that takes longer than `within_s`."""
        deadline = None if within_s is None else time.monotonic() + within_s
        course = self._courses.lessons(course_id)
        if course is None:
            self.forget(course_id)
            return
        found = [_Passage(lesson, text) for lesson in course.lessons for text in passages(lesson.text)]
        vectors = [vector for batch in _batches(found) for vector in _embed_until(batch, deadline)]
        with self._database.transaction() as session:
            if _claims_version(session, course_id, course, len(found)):
                _replace(session, course_id, found, vectors)
                log.info(
                    "course indexed", course_id=str(course_id), version=course.version, passages=len(found)
                )

    def forget(self, course_id: UUID) -> None:
        with self._database.transaction() as session:
            session.execute(delete(tables.CourseIndex).where(tables.CourseIndex.course_id == course_id))


def _batches(found: list[_Passage]) -> Iterator[list[_Passage]]:
    for start in range(0, len(found), _BATCH):
        yield found[start : start + _BATCH]


def _embed_until(batch: list[_Passage], deadline: float | None) -> list[list[float]]:
    if deadline is not None and time.monotonic() > deadline:
        raise CourseNotReady
    # With its title, a passage that says "it" is still about something.
    return embed([f"{passage.lesson.title}. {passage.text}" for passage in batch])


def _claims_version(session: Session, course_id: UUID, course: CourseLessons, chunks: int) -> bool:
    """Lock the course's row and move it to this version; False when a newer one is there already."""
    values = {"version": course.version, "title": course.title, "chunks": chunks, "indexed_at": utc_now()}
    claim = (
        insert(tables.CourseIndex)
        .values(course_id=course_id, **values)
        .on_conflict_do_update(
            index_elements=[tables.CourseIndex.course_id],
            set_=values,
            where=tables.CourseIndex.version <= course.version,
        )
        .returning(tables.CourseIndex.course_id)
    )
    return session.scalar(claim) is not None


def _replace(session: Session, course_id: UUID, found: list[_Passage], vectors: list[list[float]]) -> None:
    session.execute(delete(tables.LessonChunk).where(tables.LessonChunk.course_id == course_id))
    rows = [
        {
            "chunk_id": new_id(),
            "course_id": course_id,
            "number": number,
            "lesson_id": passage.lesson.id,
            "lesson_title": passage.lesson.title,
            "passage": passage.text,
            "embedding": vector,
        }
        for number, (passage, vector) in enumerate(zip(found, vectors, strict=True))
    ]
    if rows:
        session.execute(insert(tables.LessonChunk), rows)
