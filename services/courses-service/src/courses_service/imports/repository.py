"""Queries on import reports."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from courses_service.tables import Course, ImportReport


@dataclass(frozen=True)
class StoredReport:
    """The report of one import. `counts` and `not_taken_over` are the JSON of the columns."""

    course_id: UUID
    title: str
    source: str
    archive_sha256: str
    imported_at: datetime
    counts: dict[str, int]
    not_taken_over: list[dict[str, Any]]


class ImportRepository:
    def __init__(self, db: Session) -> None:
        self._db = db

    def course_of(self, instructor_id: UUID, archive_sha256: str) -> UUID | None:
        """The course that the instructor's import of this archive created, if any."""
        return self._db.scalars(
            select(ImportReport.course_id).filter_by(
                instructor_id=instructor_id, archive_sha256=archive_sha256
            )
        ).first()

    def add(self, course: Course, report: ImportReport) -> None:
        """Insert both in a savepoint. Raises: IntegrityError (the instructor has imported this archive)."""
        with self._db.begin_nested():
            self._db.add(course)
            self._db.flush()
            self._db.add(report)
            self._db.flush()

    def report(self, course_id: UUID) -> StoredReport | None:
        row = self._db.execute(
            select(ImportReport, Course.title)
            .join(Course, Course.id == ImportReport.course_id)
            .where(ImportReport.course_id == course_id)
        ).first()
        if row is None:
            return None
        report, title = row
        return StoredReport(
            course_id=course_id,
            title=title,
            source=report.source,
            archive_sha256=report.archive_sha256,
            imported_at=report.imported_at,
            counts=report.counts,
            not_taken_over=report.not_taken_over,
        )
