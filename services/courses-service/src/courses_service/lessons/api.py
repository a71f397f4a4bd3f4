"""Routes of lessons."""

from uuid import UUID

from fastapi import APIRouter, Response

from cogniflow_kit.errors import problems
from cogniflow_kit.identity import Instructor
from courses_service.dependencies import LessonsService
from courses_service.lessons.schemas import LessonEdit, LessonOut
from courses_service.responses import json_response

router = APIRouter(prefix="/api/lessons", tags=["lessons"])


@router.get("/{lesson_id:uuid}", response_model=LessonOut, responses=problems(404))
def get_lesson(lesson_id: UUID, lessons: LessonsService) -> Response:
    """A lesson with its quizzes, for who is enrolled, its instructor and admins."""
    return json_response(lessons.read(lesson_id))


@router.patch("/{lesson_id:uuid}", response_model=LessonOut, responses=problems(404, 409))
def edit_lesson(_: Instructor, lesson_id: UUID, body: LessonEdit, lessons: LessonsService) -> Response:
    """Change a lesson of one's own course (admins: any); its HTML is sanitized."""
    return json_response(lessons.edit(lesson_id, body))
