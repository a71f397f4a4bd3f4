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
from courses_service.course_access import CourseAccess, CourseAccessRepository, CourseNotFound
from courses_service.courses.course_copies import CourseCopies, CourseState, Part
from courses_service.courses.errors import EditedMeanwhile, LessonMarkupTooComplex
from courses_service.courses.repository import PAGE, CourseReadRepository, CourseRepository
from courses_service.courses.schemas import CourseEdit, NewCourse
from courses_service.tables import Course
from courses_service.versioned_cache import get_or_build, query_fingerprint

_PAGE_KEY = ("courses", query_fingerprint(PAGE))


class CourseReader:
    """Reads one course for one user: from this process's copy, or from the database."""

    def __init__(self, courses: CourseReadRepository, copies: CourseCopies, user: User) -> None:
        self._courses = courses
        self._copies = copies
        self._user = user

    def from_copy(self, course_id: UUID, part: Part) -> bytes | None:
        """The part as JSON, without waiting for any store. None if only `from_database` can tell."""
        if self._copies.confirmation_due:
            return None
        return self._visible_copy(course_id, part)

    def from_database(self, course_id: UUID, part: Part) -> bytes:
        """The part as JSON, from the database or a copy confirmed by it. Call it in a worker thread.

        Raises: CourseNotFound.
        """
        if self._copies.confirmation_due:
            self._copies.confirm()
        copy = self._visible_copy(course_id, part)
        if copy is not None:
            return copy
        begun = self._copies.begin_read()
        reading = self._courses.read(course_id, self._user.id, part)
        if reading is None:
            raise CourseNotFound
        self._copies.keep(course_id, reading.state, part, reading.body, begun)
        if not self._visible(course_id, reading.state, enrolled=reading.enrolled):
            raise CourseNotFound
        return reading.body

    def _visible_copy(self, course_id: UUID, part: Part) -> bytes | None:
        """None also for a course that only enrolled users see: copies don't hold enrollments."""
        copy = self._copies.find(course_id)
        if copy is None or not self._visible(course_id, copy.state, enrolled=False):
            return None
        return copy.bodies.get(part)

    def _visible(self, course_id: UUID, state: CourseState, *, enrolled: bool) -> bool:
        return CourseAccess.of(
            self._user,
            course_id=course_id,
            version=state.version,
            status=state.status,
            instructor_id=state.instructor_id,
            enrolled=enrolled,
        ).visible


class Courses:
    """Lists, creates and edits courses for one user. Returns JSON as bytes; `schemas.py` describes it."""

    def __init__(self, db: Session, cache: Cache, copies: CourseCopies, user: User) -> None:
        self._db = db
        self._cache = cache
        self._user = user
        self._access = CourseAccessRepository(db, user)
        self._courses = CourseRepository(db, copies)

    def page(self, request: PageRequest) -> bytes:
        """One page of the published courses. Its cache key contains each course's id and version."""
        rows, next_cursor = request.slice(list(self._courses.published(request.after, request.limit)))
        versions = ",".join(f"{row.id}:{row.version}" for row in rows) + f";{next_cursor}"
        build = partial(self._courses.page, [row.id for row in rows], next_cursor)
        return get_or_build(self._cache, build, *_PAGE_KEY, hashlib.sha256(versions.encode()).hexdigest())

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
