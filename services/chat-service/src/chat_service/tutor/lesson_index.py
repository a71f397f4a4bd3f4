"""Keeps the passages of all courses up to date with courses-service."""

import json
import time
from collections.abc import Iterator
from dataclasses import dataclass
from uuid import UUID

import structlog

from chat_service.embedding import embed
from chat_service.tutor.courses_client import CoursesClient, Lesson
from chat_service.tutor.errors import CourseNotReady
from chat_service.tutor.lesson_repository import LessonRepository
from chat_service.tutor.passages import passages
from cogniflow_kit.ids import new_id
from cogniflow_kit.jobs import Jobs
from cogniflow_kit.sql.database import Database

log = structlog.stdlib.get_logger(__name__)

INDEX_COURSE = "index_course"
_BATCH = 128
"""Passages that are embedded between two checks of the deadline; about 50 ms of work."""


@dataclass(frozen=True)
class _Passage:
    lesson: Lesson
    text: str


class LessonIndex:
    """Replaces a course as a whole in one transaction: readers see the old passages or the new ones."""

    def __init__(self, database: Database, courses: CoursesClient) -> None:
        self._database = database
        self._courses = courses

    def version(self, course_id: UUID) -> int | None:
        """Return the indexed version of a course; None when it is not indexed."""
        with self._database.transaction() as db:
            return LessonRepository(db).indexed_version(course_id)

    def refresh(self, course_id: UUID, *, within_s: float | None = None) -> None:
        """Index the present version of a course, or delete the passages of a deleted course.

        Raises: CourseNotReady (it took longer than `within_s`), Unavailable (courses-service)
        """
        deadline = None if within_s is None else time.monotonic() + within_s
        course = self._courses.lessons(course_id)
        if course is None:
            self._delete(course_id)
            return
        found = [_Passage(lesson, text) for lesson in course.lessons for text in passages(lesson.text)]
        vectors = [vector for batch in _batches(found) for vector in _embed_before(deadline, batch)]
        with self._database.transaction() as db:
            repository = LessonRepository(db)
            if repository.set_version(course_id, course.version, course.title, len(found)):
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
                repository.replace_passages(course_id, rows)
                log.info(
                    "course indexed", course_id=str(course_id), version=course.version, passages=len(found)
                )

    def enqueue_stale(self, jobs: Jobs) -> None:
        """Enqueue an indexing job for every changed course, and delete the passages of deleted courses."""
        with self._database.transaction() as db:
            indexed = LessonRepository(db).indexed_versions()
        present = dict(self._courses.versions())
        for course_id in indexed.keys() - present.keys():
            self._delete(course_id)
        stale = {
            str(course_id) for course_id, version in present.items() if indexed.get(course_id, 0) < version
        }
        with self._database.transaction() as db:
            for stale_id in stale - LessonRepository(db).courses_in_progress():
                jobs.enqueue(db, INDEX_COURSE, json.dumps({"course_id": stale_id}))

    def _delete(self, course_id: UUID) -> None:
        with self._database.transaction() as db:
            LessonRepository(db).delete(course_id)


def _batches(found: list[_Passage]) -> Iterator[list[_Passage]]:
    for start in range(0, len(found), _BATCH):
        yield found[start : start + _BATCH]


def _embed_before(deadline: float | None, batch: list[_Passage]) -> list[list[float]]:
    if deadline is not None and time.monotonic() > deadline:
        raise CourseNotReady
    # The lesson's title gives the subject to a passage that only says "it".
    return embed([f"{passage.lesson.title}. {passage.text}" for passage in batch])
