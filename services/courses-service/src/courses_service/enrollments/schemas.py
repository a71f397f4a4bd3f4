"""Bodies of the enrollment routes."""

from datetime import datetime
from uuid import UUID

from cogniflow_kit.schemas import ResponseBody


class EnrollmentOut(ResponseBody):
    course_id: UUID
    enrolled_at: datetime


class CompletionOut(ResponseBody):
    """`completed_at` is the first time, however often it is completed."""

    course_id: UUID
    lesson_id: UUID
    completed_at: datetime


class LessonProgress(ResponseBody):
    lesson_id: UUID
    title: str
    completed_at: datetime | None


class ProgressOut(ResponseBody):
    """`percent` of the lessons completed, rounded down to a tenth: 100 means all of them."""

    course_id: UUID
    enrolled_at: datetime
    completed_lessons: int
    total_lessons: int
    percent: float
    lessons: list[LessonProgress]
