"""Rules of lessons."""

from functools import partial
from uuid import UUID

from sqlalchemy.orm import Session

from cogniflow_kit.identity import User
from cogniflow_kit.redis import Cache
from courses_service.access import Gate
from courses_service.cached import cached, shape
from courses_service.courses.repository import CourseRepository
from courses_service.courses.service import lock_for_edit, safe_html
from courses_service.lessons.repository import DETAIL, LessonRepository
from courses_service.lessons.schemas import LessonEdit
from courses_service.markup import plain_text

_DETAIL = ("lesson", shape(DETAIL))


class Lessons:
    def __init__(self, session: Session, cache: Cache, user: User) -> None:
        self._cache = cache
        self._gate = Gate(session, user)
        self._courses = CourseRepository(session)
        self._lessons = LessonRepository(session)

    def read(self, lesson_id: UUID) -> bytes:
        """For who is enrolled, teaches the course, or is an admin."""
        access = self._gate.lesson(lesson_id)
        access.require_study()
        make = partial(self._lessons.detail, lesson_id)
        return cached(self._cache, make, *_DETAIL, lesson_id, access.version)

    def edit(self, lesson_id: UUID, edit: LessonEdit) -> bytes:
        """Gives the whole course a new version."""
        access = self._gate.lesson(lesson_id)
        access.require_ownership()
        course = lock_for_edit(self._courses, access.course_id, edit.version)
        lesson = self._lessons.get(lesson_id)
        if edit.title is not None:
            lesson.title = edit.title
        if edit.html is not None:
            lesson.html = safe_html(edit.html)
            lesson.text = plain_text(lesson.html)
        if edit.title is not None or edit.html is not None:
            self._courses.bump(course)
        return self._lessons.detail(lesson_id)
