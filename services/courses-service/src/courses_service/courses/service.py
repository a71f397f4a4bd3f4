"""Rules of courses."""

import hashlib
from functools import partial
from uuid import UUID

from sqlalchemy.orm import Session

from cogniflow_kit.identity import User
from cogniflow_kit.ids import new_id
from cogniflow_kit.redis import Cache
from cogniflow_kit.schemas import PageRequest
from courses_service.content.model import CourseContent, LessonContent, SectionContent
from courses_service.content.repository import insert_content, make_slug
from courses_service.content.sanitizer import MarkupTooComplex, sanitize
from courses_service.course_access import CourseAccessRepository
from courses_service.courses.errors import EditedMeanwhile, LessonMarkupTooComplex
from courses_service.courses.repository import DETAIL, OUTLINE, PAGE, CourseRepository
from courses_service.courses.schemas import CourseEdit, NewCourse
from courses_service.tables import Course
from courses_service.versioned_cache import get_or_build, query_fingerprint

_DETAIL_KEY = ("course", query_fingerprint(DETAIL))
_OUTLINE_KEY = ("outline", query_fingerprint(OUTLINE))
_PAGE_KEY = ("courses", query_fingerprint(PAGE))


class Courses:
    """Reads and edits courses for one user. Reads return JSON as bytes; `schemas.py` describes it."""

    def __init__(self, db: Session, cache: Cache, user: User) -> None:
        self._db = db
        self._cache = cache
        self._user = user
        self._access = CourseAccessRepository(db, user)
        self._courses = CourseRepository(db)

    def page(self, request: PageRequest) -> bytes:
        """One page of the published courses. Its cache key contains each course's id and version."""
        rows, next_cursor = request.slice(list(self._courses.published(request.after, request.limit)))
        versions = ",".join(f"{row.id}:{row.version}" for row in rows) + f";{next_cursor}"
        build = partial(self._courses.page, [row.id for row in rows], next_cursor)
        return get_or_build(self._cache, build, *_PAGE_KEY, hashlib.sha256(versions.encode()).hexdigest())

    def detail(self, course_id: UUID) -> bytes:
        access = self._access.for_course(course_id)
        build = partial(self._courses.detail, course_id)
        return get_or_build(self._cache, build, *_DETAIL_KEY, course_id, access.version)

    def outline(self, course_id: UUID) -> bytes:
        access = self._access.for_course(course_id)
        build = partial(self._courses.outline, course_id)
        return get_or_build(self._cache, build, *_OUTLINE_KEY, course_id, access.version)

    def create(self, new: NewCourse) -> bytes:
        """Store a draft that belongs to the user. Raises: LessonMarkupTooComplex."""
        content = _sanitized_content(new)
        course_id = new_id()
        self._courses.add(
            Course(
                id=course_id,
                slug=make_slug(new.title, course_id),
                title=new.title,
                description=new.description,
                language=new.language,
                instructor_id=self._user.id,
            )
        )
        insert_content(self._db, course_id, content)
        return self._courses.detail(course_id)

    def edit(self, course_id: UUID, edit: CourseEdit) -> bytes:
        """Change the fields that `edit` names. Raises: CourseNotFound, NotYourCourse, EditedMeanwhile."""
        self._access.for_course(course_id).require_ownership()
        course = lock_for_edit(self._courses, course_id, edit.version)
        changes = edit.model_dump(exclude_none=True, exclude={"version"})
        for name, value in changes.items():
            setattr(course, name, value)
        if changes:
            self._courses.raise_version(course)
        return self._courses.detail(course_id)


def lock_for_edit(courses: CourseRepository, course_id: UUID, based_on: int | None) -> Course:
    """Lock the course until the transaction ends. Raises: EditedMeanwhile (its version isn't `based_on`)."""
    course = courses.lock(course_id)
    if based_on is not None and based_on != course.version:
        raise EditedMeanwhile(current=course.version, based_on=based_on)
    return course


def sanitize_lesson(html: str) -> str:
    """Sanitize a lesson's HTML. Raises: LessonMarkupTooComplex."""
    try:
        return sanitize(html)
    except MarkupTooComplex as error:
        raise LessonMarkupTooComplex(str(error)) from error


def _sanitized_content(new: NewCourse) -> CourseContent:
    sections = tuple(
        SectionContent(
            section.title,
            tuple(LessonContent(lesson.title, sanitize_lesson(lesson.html)) for lesson in section.lessons),
        )
        for section in new.sections
    )
    return CourseContent(new.title, new.description, new.language, sections)
