"""What a person may do with a course and what is in it."""

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import BindParameter, Select, bindparam, null, select
from sqlalchemy.orm import Session

from cogniflow_kit.errors import Forbidden, NotFound
from cogniflow_kit.identity import User
from courses_service.tables import Course, Enrollment, Lesson, Quiz


class CourseNotFound(NotFound):
    """Also for a draft of somebody else's."""

    code = "course_not_found"


class LessonNotFound(NotFound):
    code = "lesson_not_found"


class QuizNotFound(NotFound):
    code = "quiz_not_found"


class EnrollmentRequired(Forbidden):
    code = "enrollment_required"


class NotYourCourse(Forbidden):
    code = "not_your_course"


@dataclass(frozen=True)
class Access:
    """How somebody stands to a course; `lesson_id` is null where none was asked for."""

    course_id: UUID
    version: int
    status: str
    owns: bool
    enrolled: bool
    lesson_id: UUID | None = None

    @property
    def sees(self) -> bool:
        """Published courses are everybody's to see; the enrolled keep what they began."""
        return self.status == "published" or self.owns or self.enrolled

    def require_study(self) -> None:
        """Reading lessons and answering quizzes."""
        if not (self.owns or self.enrolled):
            raise EnrollmentRequired("Enroll in the course first.")

    def require_enrollment(self) -> None:
        """What is recorded as somebody's progress."""
        if not self.enrolled:
            raise EnrollmentRequired("Enroll in the course first.")

    def require_ownership(self) -> None:
        if not self.owns:
            raise NotYourCourse("Only the course's instructor or an admin may do this.")


_ENROLLED = (
    select(Enrollment.user_id)
    .where(Enrollment.course_id == Course.id, Enrollment.user_id == bindparam("user_id"))
    .exists()
)
_COURSE = select(Course.id, Course.version, Course.status, Course.instructor_id, _ENROLLED)
_WANTED: BindParameter[UUID] = bindparam("wanted")
_BY_COURSE = _COURSE.add_columns(null()).where(Course.id == _WANTED)
_LESSON = _COURSE.add_columns(Lesson.id).join(Lesson, Lesson.course_id == Course.id)
_BY_LESSON = _LESSON.where(Lesson.id == _WANTED)
_BY_QUIZ = _LESSON.join(Quiz, Quiz.lesson_id == Lesson.id).where(Quiz.id == _WANTED)


class Gate:
    """Answers in one statement who may pass; what somebody may not see doesn't exist for them."""

    def __init__(self, session: Session, user: User) -> None:
        self._session = session
        self._user = user

    def course(self, course_id: UUID) -> Access:
        return self._pass(_BY_COURSE, course_id, CourseNotFound("There is no such course."))

    def lesson(self, lesson_id: UUID) -> Access:
        return self._pass(_BY_LESSON, lesson_id, LessonNotFound("There is no such lesson."))

    def quiz(self, quiz_id: UUID) -> Access:
        return self._pass(_BY_QUIZ, quiz_id, QuizNotFound("There is no such quiz."))

    def _pass(self, statement: Select[Any], wanted: UUID, missing: NotFound) -> Access:
        row = self._session.execute(statement, {"wanted": wanted, "user_id": self._user.id}).first()
        if row is None:
            raise missing
        course_id, version, status, instructor_id, enrolled, lesson_id = row
        owns = self._user.role == "admin" or (self._user.teaches and self._user.id == instructor_id)
        access = Access(course_id, version, status, owns, enrolled, lesson_id)
        if not access.sees:
            raise missing
        return access
