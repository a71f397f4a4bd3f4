"""Response bodies of the enrollment routes."""

from datetime import datetime
from uuid import UUID

from cogniflow_kit.schemas import ResponseBody


class EnrollmentOut(ResponseBody):
    course_id: UUID
    enrolled_at: datetime


class CompletionOut(ResponseBody):
    """`completed_at` is when the learner first completed the lesson."""

    course_id: UUID
    lesson_id: UUID
    completed_at: datetime


class LessonProgress(ResponseBody):
    lesson_id: UUID
    title: str
    completed_at: datetime | None


class ProgressOut(ResponseBody):
    """`percent` of lessons completed, rounded down to 0.1, so that 100 means all lessons."""

    course_id: UUID
    enrolled_at: datetime
    completed_lessons: int
    total_lessons: int
    percent: float
    lessons: list[LessonProgress]


class LearningActivity(ResponseBody):
    """`courses` that the caller is enrolled in, and `lessons` that the caller completed."""

    courses: int
    lessons: int
