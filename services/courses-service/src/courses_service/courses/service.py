"""Rules of courses."""

import hashlib
from functools import partial
from uuid import UUID

from sqlalchemy.orm import Session

from cogniflow_kit.identity import User
from cogniflow_kit.ids import new_id
from cogniflow_kit.redis import Cache
from cogniflow_kit.schemas import PageRequest
from courses_service.access import Gate
from courses_service.cached import cached, shape
from courses_service.content import CourseContent, LessonContent, SectionContent
from courses_service.courses import queries
from courses_service.courses.errors import EditedMeanwhile, MarkupTooComplex
from courses_service.courses.repository import CourseRepository
from courses_service.courses.schemas import CourseEdit, NewCourse
from courses_service.markup import TooComplex, sanitize
from courses_service.storage import slug_of, store_sections
from courses_service.tables import Course

_DETAIL = ("course", shape(queries.DETAIL))
_OUTLINE = ("outline", shape(queries.OUTLINE))
_PAGE = ("courses", shape(queries.PAGE))


class Courses:
    """Reads give JSON as bytes: `schemas.py` says of what shape."""

    def __init__(self, session: Session, cache: Cache, user: User) -> None:
        self._session = session
        self._cache = cache
        self._user = user
        self._gate = Gate(session, user)
        self._courses = CourseRepository(session)

    def page(self, request: PageRequest) -> bytes:
        """A page of the published courses; its key names each of them with its version."""
        rows, next_cursor = request.slice(list(self._courses.published(request.after, request.limit)))
        versions = ",".join(f"{row.id}:{row.version}" for row in rows) + f";{next_cursor}"
        make = partial(self._courses.page, [row.id for row in rows], next_cursor)
        return cached(self._cache, make, *_PAGE, hashlib.sha256(versions.encode()).hexdigest())

    def detail(self, course_id: UUID) -> bytes:
        access = self._gate.course(course_id)
        make = partial(self._courses.detail, course_id)
        return cached(self._cache, make, *_DETAIL, course_id, access.version)

    def outline(self, course_id: UUID) -> bytes:
        access = self._gate.course(course_id)
        make = partial(self._courses.outline, course_id)
        return cached(self._cache, make, *_OUTLINE, course_id, access.version)

    def create(self, new: NewCourse) -> bytes:
        """A draft that belongs to the caller."""
        content = _content(new)
        course_id = new_id()
        self._courses.add(
            Course(
                id=course_id,
                slug=slug_of(new.title, course_id),
                title=new.title,
                description=new.description,
                language=new.language,
                instructor_id=self._user.id,
            )
        )
        store_sections(self._session, course_id, content)
        return self._courses.detail(course_id)

    def edit(self, course_id: UUID, edit: CourseEdit) -> bytes:
        self._gate.course(course_id).require_ownership()
        course = lock_for_edit(self._courses, course_id, edit.version)
        changes = edit.model_dump(exclude_none=True, exclude={"version"})
        for name, value in changes.items():
            setattr(course, name, value)
        if changes:
            self._courses.bump(course)
        return self._courses.detail(course_id)


def lock_for_edit(courses: CourseRepository, course_id: UUID, based_on: int | None) -> Course:
    """The course, held until the transaction ends, if it still is what the edit was based on."""
    course = courses.locked(course_id)
    if based_on is not None and based_on != course.version:
        raise EditedMeanwhile(
            f"The course was edited meanwhile: it has version {course.version}, not {based_on}."
        )
    return course


def safe_html(html: str) -> str:
    """Sanitized, or MarkupTooComplex."""
    try:
        return sanitize(html)
    except TooComplex as error:
        raise MarkupTooComplex(f"The lesson's markup is too complex: {error}.") from error


def _content(new: NewCourse) -> CourseContent:
    sections = tuple(
        SectionContent(
            section.title,
            tuple(LessonContent(lesson.title, safe_html(lesson.html)) for lesson in section.lessons),
        )
        for section in new.sections
    )
    return CourseContent(new.title, new.description, new.language, sections)
