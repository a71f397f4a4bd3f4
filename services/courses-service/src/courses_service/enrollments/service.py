"""Rules of enrollments and progress."""

from uuid import UUID

from sqlalchemy.orm import Session

from cogniflow_kit.events import Event
from cogniflow_kit.identity import User
from cogniflow_kit.sql.outbox import record
from courses_service.access import Gate
from courses_service.enrollments.errors import NotEnrolled, NotOpen
from courses_service.enrollments.repository import EnrollmentRepository
from courses_service.enrollments.schemas import CompletionOut, EnrollmentOut


class Enrollments:
    """Repeating changes nothing: one row, one fact, also when two requests come at once."""

    def __init__(self, session: Session, user: User) -> None:
        self._session = session
        self._user = user
        self._gate = Gate(session, user)
        self._enrollments = EnrollmentRepository(session)

    def enroll(self, course_id: UUID) -> tuple[EnrollmentOut, bool]:
        """The enrollment, and whether it is new."""
        access = self._gate.course(course_id)
        if not access.enrolled and access.status != "published":
            raise NotOpen("The course isn't open for enrollment.")
        enrolled_at, new = self._enrollments.enroll(self._user.id, course_id)
        if new:
            self._record("enrollment.created", course_id=course_id)
        return EnrollmentOut(course_id=course_id, enrolled_at=enrolled_at), new

    def complete(self, lesson_id: UUID) -> CompletionOut:
        access = self._gate.lesson(lesson_id)
        access.require_enrollment()
        completed_at, new = self._enrollments.complete(self._user.id, access.course_id, lesson_id)
        if new:
            self._record("lesson.completed", course_id=access.course_id, lesson_id=lesson_id)
        return CompletionOut(course_id=access.course_id, lesson_id=lesson_id, completed_at=completed_at)

    def progress(self, course_id: UUID) -> bytes:
        """As JSON; NotEnrolled says nothing about whether there is such a course."""
        found = self._enrollments.progress(self._user.id, course_id)
        if found is None:
            raise NotEnrolled("You aren't enrolled in such a course.")
        return found

    def _record(self, fact: str, **ids: UUID) -> None:
        data = {name: str(id_) for name, id_ in ids.items()}
        record(self._session, Event(type=fact, actor_id=self._user.id, data=data))
