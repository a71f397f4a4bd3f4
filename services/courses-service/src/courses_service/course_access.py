"""Access to a course: what a user may do with the course and with the lessons and quizzes in it."""

from dataclasses import dataclass
from typing import Any, Self
from uuid import UUID

from sqlalchemy import BindParameter, Select, bindparam, null, select
from sqlalchemy.orm import Session

from cogniflow_kit.errors import Forbidden, NotFound
from cogniflow_kit.identity import User
from courses_service.tables import Course, Enrollment, Lesson, Quiz


class CourseNotFound(NotFound):
    """The course does not exist, or the user may not see it."""

    code = "course_not_found"

    def __init__(self) -> None:
        super().__init__("There is no such course.")


class LessonNotFound(NotFound):
    """The lesson does not exist, or the user may not see its course."""

    code = "lesson_not_found"

    def __init__(self) -> None:
        super().__init__("There is no such lesson.")


class QuizNotFound(NotFound):
    """The quiz does not exist, or the user may not see its course."""

    code = "quiz_not_found"

    def __init__(self) -> None:
        super().__init__("There is no such quiz.")


class EnrollmentRequired(Forbidden):
    """The user sees the course but is not enrolled in it."""

    code = "enrollment_required"

    def __init__(self) -> None:
        super().__init__("Enroll in the course first.")


class NotYourCourse(Forbidden):
    """The user is neither the course's instructor nor an admin."""

    code = "not_your_course"

    def __init__(self) -> None:
        super().__init__("Only the course's instructor or an admin may do this.")


@dataclass(frozen=True)
class CourseAccess:
    """What one user may do with one course. `lesson_id` is None unless a lesson or quiz was asked for."""

    course_id: UUID
    version: int
    status: str
    owns: bool
    enrolled: bool
    lesson_id: UUID | None = None

    @classmethod
    def of(
        cls,
        user: User,
        *,
        course_id: UUID,
        version: int,
        status: str,
        instructor_id: UUID,
        enrolled: bool,
        lesson_id: UUID | None = None,
    ) -> Self:
        """Admins own every course; its instructor owns it while their role is a teaching one."""
        owns = user.role == "admin" or (user.teaches and user.id == instructor_id)
        return cls(course_id, version, status, owns, enrolled, lesson_id)

    @property
    def visible(self) -> bool:
        """Every user sees a published course; learners who are enrolled keep a draft or archived one."""
        return self.status == "published" or self.owns or self.enrolled

    def require_study(self) -> None:
        """Allow reading lessons and answering quizzes. Raises: EnrollmentRequired."""
        if not (self.owns or self.enrolled):
            raise EnrollmentRequired

    def require_enrollment(self) -> None:
        """Allow recording progress. Raises: EnrollmentRequired, for owners too."""
        if not self.enrolled:
            raise EnrollmentRequired

    def require_ownership(self) -> None:
        """Allow edits. Raises: NotYourCourse."""
        if not self.owns:
            raise NotYourCourse


_ENROLLED = (
    select(Enrollment.user_id)
    .where(Enrollment.course_id == Course.id, Enrollment.user_id == bindparam("user_id"))
    .exists()
)
_COURSE = select(Course.id, Course.version, Course.status, Course.instructor_id, _ENROLLED)
_REQUESTED_ID: BindParameter[UUID] = bindparam("requested_id")
_BY_COURSE = _COURSE.add_columns(null()).where(Course.id == _REQUESTED_ID)
_WITH_LESSON = _COURSE.add_columns(Lesson.id).join(Lesson, Lesson.course_id == Course.id)
_BY_LESSON = _WITH_LESSON.where(Lesson.id == _REQUESTED_ID)
_BY_QUIZ = _WITH_LESSON.join(Quiz, Quiz.lesson_id == Lesson.id).where(Quiz.id == _REQUESTED_ID)


class CourseAccessRepository:
    """Reads a user's access in one statement. A course that the user may not see raises the same
    NotFound as one that does not exist."""

    def __init__(self, db: Session, user: User) -> None:
        self._db = db
        self._user = user

    def for_course(self, course_id: UUID) -> CourseAccess:
        return self._find(_BY_COURSE, course_id, CourseNotFound())

    def for_lesson(self, lesson_id: UUID) -> CourseAccess:
        return self._find(_BY_LESSON, lesson_id, LessonNotFound())

    def for_quiz(self, quiz_id: UUID) -> CourseAccess:
        return self._find(_BY_QUIZ, quiz_id, QuizNotFound())

    def _find(self, statement: Select[Any], requested_id: UUID, not_found: NotFound) -> CourseAccess:
        row = self._db.execute(statement, {"requested_id": requested_id, "user_id": self._user.id}).first()
        if row is None:
            raise not_found
        course_id, version, status, instructor_id, enrolled, lesson_id = row
        access = CourseAccess.of(
            self._user,
            course_id=course_id,
            version=version,
            status=status,
            instructor_id=instructor_id,
            enrolled=enrolled,
            lesson_id=lesson_id,
        )
        if not access.visible:
            raise not_found
        return access
