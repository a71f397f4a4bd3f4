"""Rules of enrollments and progress."""

from uuid import UUID

from sqlalchemy.orm import Session

from cogniflow_kit.events import Event
from cogniflow_kit.identity import User
from cogniflow_kit.sql.outbox import record
from courses_service.course_access import CourseAccessRepository
from courses_service.enrollments.errors import NotEnrolled, NotOpen
from courses_service.enrollments.repository import EnrollmentRepository
from courses_service.enrollments.schemas import CompletionOut, EnrollmentOut, LearningActivity


class Enrollments:
    """Enrolls one user and records their progress.

    A repetition, also a concurrent one, changes nothing: one row and one event.
    """

    def __init__(self, db: Session, user: User) -> None:
        self._db = db
        self._user = user
        self._access = CourseAccessRepository(db, user)
        self._enrollments = EnrollmentRepository(db)

    def enroll(self, course_id: UUID) -> tuple[EnrollmentOut, bool]:
        """Return the enrollment, and whether it is new. Raises: CourseNotFound, NotOpen."""
        access = self._access.for_course(course_id)
        if not access.enrolled and access.status != "published":
            raise NotOpen
        enrolled_at, new = self._enrollments.enroll(self._user.id, course_id)
        if new:
            self._record_event("enrollment.created", course_id=course_id)
        return EnrollmentOut(course_id=course_id, enrolled_at=enrolled_at), new

    def complete(self, lesson_id: UUID) -> CompletionOut:
        """Raises: LessonNotFound, EnrollmentRequired."""
        access = self._access.for_lesson(lesson_id)
        access.require_enrollment()
        completed_at, new = self._enrollments.complete(self._user.id, access.course_id, lesson_id)
        if new:
            self._record_event("lesson.completed", course_id=access.course_id, lesson_id=lesson_id)
        return CompletionOut(course_id=access.course_id, lesson_id=lesson_id, completed_at=completed_at)

    def progress(self, course_id: UUID) -> bytes:
        """The user's progress as JSON. Raises: NotEnrolled."""
        progress = self._enrollments.progress(self._user.id, course_id)
        if progress is None:
            raise NotEnrolled
        return progress

    def activity(self) -> LearningActivity:
        courses, lessons = self._enrollments.activity_counts(self._user.id)
        return LearningActivity(courses=courses, lessons=lessons)

    def _record_event(self, event_type: str, **ids: UUID) -> None:
        data = {name: str(id_) for name, id_ in ids.items()}
        record(self._db, Event(type=event_type, actor_id=self._user.id, data=data))
