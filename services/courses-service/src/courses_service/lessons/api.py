"""Routes of lessons."""

from uuid import UUID

from fastapi import APIRouter, Response

from cogniflow_kit.errors import problems
from cogniflow_kit.identity import Instructor
from cogniflow_kit.json_response import json_response
from courses_service.lessons.dependencies import LessonsService
from courses_service.lessons.schemas import LessonEdit, LessonOut

router = APIRouter(prefix="/api/lessons", tags=["lessons"])


@router.get("/{lesson_id:uuid}", response_model=LessonOut, responses=problems(404))
def get_lesson(lesson_id: UUID, lessons: LessonsService) -> Response:
    """Get a lesson with its quizzes. Allowed for enrolled learners, the course's instructor and admins."""
    return json_response(lessons.read(lesson_id))


@router.patch("/{lesson_id:uuid}", response_model=LessonOut, responses=problems(404, 409))
def edit_lesson(_: Instructor, lesson_id: UUID, body: LessonEdit, lessons: LessonsService) -> Response:
    """Change a lesson of a course that belongs to the caller (admins: any). The HTML is sanitized."""
    return json_response(lessons.edit(lesson_id, body))
