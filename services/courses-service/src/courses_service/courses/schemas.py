"""Request and response bodies of the course routes."""

from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

from pydantic import Field

from cogniflow_kit.schemas import RequestBody, ResponseBody

Status = Literal["draft", "published", "archived"]
Title = Annotated[str, Field(min_length=1, max_length=255)]
Description = Annotated[str, Field(max_length=4000)]
Language = Annotated[str, Field(pattern=r"^[A-Za-z]{2,3}(-[A-Za-z0-9]{1,8}){0,3}$")]
LessonHtml = Annotated[str, Field(max_length=200_000)]
BasedOn = Annotated[int | None, Field(ge=1, le=2_147_483_647)]
"""The course version that an edit is based on. If the course has another version, the edit is refused."""


class NewLesson(RequestBody):
    title: Title
    html: LessonHtml = ""


class NewSection(RequestBody):
    title: Title
    lessons: list[NewLesson] = Field(default=[], max_length=200)


class NewCourse(RequestBody):
    """A new course. Its status is `draft`."""

    title: Title
    description: Description = ""
    language: Language = "en"
    sections: list[NewSection] = Field(default=[], max_length=100)


class CourseEdit(RequestBody):
    """Fields that are missing or null stay unchanged."""

    title: Title | None = None
    description: Description | None = None
    language: Language | None = None
    status: Status | None = None
    version: BasedOn = None


class CourseOut(ResponseBody):
    """`version` is raised by each edit of the course or of a lesson in it."""

    id: UUID
    slug: str
    title: str
    description: str
    language: str
    instructor_id: UUID
    status: Status
    version: int
    created_at: datetime
    updated_at: datetime


class CourseDetail(CourseOut):
    """A course with the numbers of its sections, lessons and quizzes."""

    sections: int
    lessons: int
    quizzes: int


class OutlineLesson(ResponseBody):
    """`subsection` groups neighboring lessons; `quizzes` is the number of quizzes on the lesson."""

    id: UUID
    position: int
    title: str
    subsection: str
    quizzes: int


class OutlineSection(ResponseBody):
    id: UUID
    title: str
    lessons: list[OutlineLesson]


class Outline(ResponseBody):
    course_id: UUID
    version: int
    title: str
    sections: list[OutlineSection]
