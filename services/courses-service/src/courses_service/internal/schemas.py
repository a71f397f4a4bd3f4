"""Response bodies of the internal routes."""

from uuid import UUID

from cogniflow_kit.schemas import ResponseBody


class CourseVersion(ResponseBody):
    id: UUID
    version: int


class LessonText(ResponseBody):
    """`text`: the lesson as plain text without its quizzes; blank lines separate paragraphs."""

    id: UUID
    title: str
    position: int
    text: str


class CourseTexts(ResponseBody):
    course_id: UUID
    version: int
    title: str
    lessons: list[LessonText]
