"""Rules of imports."""

import hashlib
from dataclasses import asdict
from typing import BinaryIO
from uuid import UUID

from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from cogniflow_kit.events import Event
from cogniflow_kit.identity import User
from cogniflow_kit.ids import new_id
from cogniflow_kit.sql.outbox import record
from courses_service.access import Gate
from courses_service.imports.errors import AlreadyImported, NotImported
from courses_service.imports.repository import ImportRepository
from courses_service.imports.schemas import Counts, ImportReportOut
from courses_service.olx.reader import ReadCourse, read_olx
from courses_service.storage import slug_of, store_sections
from courses_service.tables import Course, ImportReport


class Imports:
    def __init__(self, session: Session, user: User) -> None:
        self._session = session
        self._user = user
        self._imports = ImportRepository(session)

    def import_archive(self, archive: BinaryIO) -> ImportReportOut:
        """Make the archive a published course of the caller's, all of it or nothing.

        An archive that the caller has imported before is refused, so that a
        second try after a lost answer doesn't make a second course. A changed
        archive is another course.
        """
        sha256 = _sha256(archive)
        self._refuse_repetition(sha256)
        archive.seek(0)
        read = read_olx(archive)
        course = _course(read, self._user.id)
        report = _report(read, course, sha256)
        try:
            with self._session.begin_nested():
                self._imports.add(course, report)
        except IntegrityError:
            self._refuse_repetition(sha256)
            raise
        store_sections(self._session, course.id, read.content)
        self._record(course.id, report.counts)
        return self._report_on(course.id)

    def report(self, course_id: UUID) -> ImportReportOut:
        """For the course's instructor and admins; NotImported for a course made otherwise."""
        Gate(self._session, self._user).course(course_id).require_ownership()
        return self._report_on(course_id)

    def _report_on(self, course_id: UUID) -> ImportReportOut:
        report = self._imports.report(course_id)
        if report is None:
            raise NotImported("This course wasn't imported from an archive.")
        return report

    def _refuse_repetition(self, sha256: str) -> None:
        before = self._imports.course_of(self._user.id, sha256)
        if before is not None:
            raise AlreadyImported(before)

    def _record(self, course_id: UUID, counts: dict[str, int]) -> None:
        data = {"course_id": str(course_id), "lessons": counts["lessons"], "quizzes": counts["quizzes"]}
        record(self._session, Event(type="course.imported", actor_id=self._user.id, data=data))


def _sha256(archive: BinaryIO) -> str:
    digest = hashlib.sha256()
    while chunk := archive.read(1 << 20):
        digest.update(chunk)
    return digest.hexdigest()


def _course(read: ReadCourse, instructor_id: UUID) -> Course:
    course_id, content = new_id(), read.content
    return Course(
        id=course_id,
        slug=slug_of(content.title, course_id),
        title=content.title,
        description=content.description,
        language=content.language,
        instructor_id=instructor_id,
        status="published",
    )


def _report(read: ReadCourse, course: Course, sha256: str) -> ImportReport:
    counts = Counts(
        sections=len(read.content.sections),
        lessons=sum(1 for _ in read.content.lessons()),
        quizzes=sum(1 for _ in read.content.quizzes()),
        questions=sum(len(quiz.questions) for quiz in read.content.quizzes()),
        blocks=len(read.report.taken),
    )
    return ImportReport(
        course_id=course.id,
        instructor_id=course.instructor_id,
        archive_sha256=sha256,
        source=read.source,
        counts=counts.model_dump(),
        not_taken_over=[asdict(entry) for entry in read.report.entries],
    )
