"""Rules of imports."""

from dataclasses import asdict
from uuid import UUID

from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from cogniflow_kit.events import Event
from cogniflow_kit.identity import User
from cogniflow_kit.ids import new_id
from cogniflow_kit.sql.outbox import record
from courses_service.content.repository import insert_content, make_slug
from courses_service.course_access import CourseAccessRepository
from courses_service.imports.errors import AlreadyImported, NotImported
from courses_service.imports.repository import ImportRepository, StoredReport
from courses_service.olx.reader import ParsedCourse
from courses_service.tables import Course, ImportReport


class Imports:
    """Stores parsed archives as courses of one user, and reads import reports."""

    def __init__(self, db: Session, user: User) -> None:
        self._db = db
        self._user = user
        self._access = CourseAccessRepository(db, user)
        self._imports = ImportRepository(db)

    def import_archive(self, parsed: ParsedCourse, sha256: str) -> StoredReport:
        """Store the archive as a published course in the caller's transaction.

        The same archive again is refused, so that a retry after a lost
        response creates no second course. A changed archive has another
        `sha256` and becomes another course. Raises: AlreadyImported.
        """
        self._refuse_repetition(sha256)
        course = _course(parsed, self._user.id)
        report = _report(parsed, course, sha256)
        try:
            self._imports.add(course, report)
        except IntegrityError:
            # A concurrent import of the same archive committed first.
            self._refuse_repetition(sha256)
            raise
        insert_content(self._db, course.id, parsed.content)
        self._record_event(course.id, report.counts)
        return self._stored_report(course.id)

    def report(self, course_id: UUID) -> StoredReport:
        """Raises: CourseNotFound, NotYourCourse, NotImported."""
        self._access.for_course(course_id).require_ownership()
        return self._stored_report(course_id)

    def _stored_report(self, course_id: UUID) -> StoredReport:
        report = self._imports.report(course_id)
        if report is None:
            raise NotImported
        return report

    def _refuse_repetition(self, sha256: str) -> None:
        course_id = self._imports.course_of(self._user.id, sha256)
        if course_id is not None:
            raise AlreadyImported(course_id)

    def _record_event(self, course_id: UUID, counts: dict[str, int]) -> None:
        data = {"course_id": str(course_id), "lessons": counts["lessons"], "quizzes": counts["quizzes"]}
        record(self._db, Event(type="course.imported", actor_id=self._user.id, data=data))


def _course(parsed: ParsedCourse, instructor_id: UUID) -> Course:
    course_id, content = new_id(), parsed.content
    return Course(
        id=course_id,
        slug=make_slug(content.title, course_id),
        title=content.title,
        description=content.description,
        language=content.language,
        instructor_id=instructor_id,
        status="published",
    )


def _report(parsed: ParsedCourse, course: Course, sha256: str) -> ImportReport:
    content = parsed.content
    return ImportReport(
        course_id=course.id,
        instructor_id=course.instructor_id,
        archive_sha256=sha256,
        source=parsed.source,
        counts={
            "sections": len(content.sections),
            "lessons": sum(1 for _ in content.lessons()),
            "quizzes": sum(1 for _ in content.quizzes()),
            "questions": sum(len(quiz.questions) for quiz in content.quizzes()),
            "blocks": len(parsed.report.imported),
        },
        not_taken_over=[asdict(element) for element in parsed.report.skipped],
    )
