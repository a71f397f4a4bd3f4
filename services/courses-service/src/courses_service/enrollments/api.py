"""Routes of enrollments and progress."""

from typing import Any
from uuid import UUID

from fastapi import APIRouter, Response

from cogniflow_kit.errors import problems
from courses_service.dependencies import EnrollmentsService
from courses_service.enrollments.schemas import CompletionOut, EnrollmentOut, ProgressOut
from courses_service.responses import json_response

router = APIRouter(prefix="/api", tags=["enrollments"])
_AGAIN: dict[int | str, dict[str, Any]] = {
    200: {"model": EnrollmentOut, "description": "Enrolled before; nothing changed"}
}


@router.post("/courses/{course_id:uuid}/enroll", status_code=201, responses={**_AGAIN, **problems(404, 409)})
def enroll(course_id: UUID, enrollments: EnrollmentsService, response: Response) -> EnrollmentOut:
    """Enroll the caller. Repeating it is harmless and answers 200."""
    enrollment, new = enrollments.enroll(course_id)
    if not new:
        response.status_code = 200
    return enrollment


@router.get("/courses/{course_id:uuid}/progress", response_model=ProgressOut, responses=problems(404))
def get_progress(course_id: UUID, enrollments: EnrollmentsService) -> Response:
    """The caller's own progress; 404 `not_enrolled` for everybody else."""
    return json_response(enrollments.progress(course_id))


@router.post("/lessons/{lesson_id:uuid}/complete", responses=problems(404))
def complete_lesson(lesson_id: UUID, enrollments: EnrollmentsService) -> CompletionOut:
    """Mark a lesson as completed by the caller. Repeating it is harmless."""
    return enrollments.complete(lesson_id)
