"""Rules of lessons."""

from functools import partial
from uuid import UUID

from sqlalchemy.orm import Session

from cogniflow_kit.identity import User
from cogniflow_kit.redis import Cache
from courses_service.content.sanitizer import plain_text
from courses_service.course_access import CourseAccessRepository
from courses_service.courses.course_copies import CourseCopies
from courses_service.courses.repository import CourseRepository
from courses_service.courses.service import lock_for_edit, sanitize_lesson
from courses_service.lessons.repository import DETAIL, LessonRepository
from courses_service.lessons.schemas import LessonEdit
from courses_service.versioned_cache import get_or_build, query_fingerprint

_DETAIL_KEY = ("lesson", query_fingerprint(DETAIL))


class Lessons:
    """Reads and edits lessons for one user. Both return JSON as bytes; `schemas.py` describes it."""

    def __init__(self, db: Session, cache: Cache, copies: CourseCopies, user: User) -> None:
        self._cache = cache
        self._access = CourseAccessRepository(db, user)
        self._courses = CourseRepository(db, copies)
        self._lessons = LessonRepository(db)

    def read(self, lesson_id: UUID) -> bytes:
        """Raises: LessonNotFound, EnrollmentRequired."""
        access = self._access.for_lesson(lesson_id)
        access.require_study()
        build = partial(self._lessons.detail, lesson_id)
        return get_or_build(self._cache, build, *_DETAIL_KEY, lesson_id, access.version)

    def edit(self, lesson_id: UUID, edit: LessonEdit) -> bytes:
        """Change the lesson and raise the version of its course.

        Raises: LessonNotFound, NotYourCourse, EditedMeanwhile, LessonMarkupTooComplex.
        """
        access = self._access.for_lesson(lesson_id)
        access.require_ownership()
        course = lock_for_edit(self._courses, access.course_id, edit.version)
        lesson = self._lessons.get(lesson_id)
        if edit.title is not None:
            lesson.title = edit.title
        if edit.html is not None:
            lesson.html = sanitize_lesson(edit.html)
            lesson.text = plain_text(lesson.html)
        if edit.title is not None or edit.html is not None:
            self._courses.raise_version(course)
        return self._lessons.detail(lesson_id)
