"""Queries on import reports."""

from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from courses_service.imports.schemas import ImportReportOut
from courses_service.tables import Course, ImportReport


class ImportRepository:
    def __init__(self, session: Session) -> None:
        self._session = session

    def course_of(self, instructor_id: UUID, archive_sha256: str) -> UUID | None:
        """The course that this instructor's import of this archive made."""
        return self._session.scalars(
            select(ImportReport.course_id).filter_by(
                instructor_id=instructor_id, archive_sha256=archive_sha256
            )
        ).first()

    def add(self, course: Course, report: ImportReport) -> None:
        """Raises IntegrityError when the instructor has imported this archive meanwhile."""
        self._session.add(course)
        self._session.flush()
        self._session.add(report)
        self._session.flush()

    def report(self, course_id: UUID) -> ImportReportOut | None:
        row = self._session.execute(
            select(ImportReport, Course.title)
            .join(Course, Course.id == ImportReport.course_id)
            .where(ImportReport.course_id == course_id)
        ).first()
        if row is None:
            return None
        report, title = row
        return ImportReportOut(
            course_id=course_id,
            title=title,
            source=report.source,
            archive_sha256=report.archive_sha256,
            imported_at=report.imported_at,
            counts=report.counts,
            not_taken_over=report.not_taken_over,
        )
