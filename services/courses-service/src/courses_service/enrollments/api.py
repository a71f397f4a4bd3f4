"""Routes of enrollments, progress and learning activity."""

from typing import Any
from uuid import UUID

from fastapi import APIRouter, Response

from cogniflow_kit.errors import problems
from cogniflow_kit.json_response import json_response
from courses_service.enrollments.dependencies import EnrollmentsService
from courses_service.enrollments.schemas import CompletionOut, EnrollmentOut, LearningActivity, ProgressOut

router = APIRouter(prefix="/api", tags=["enrollments"])
activity_router = APIRouter(prefix="/api", tags=["activity"])
_REPEATED: dict[int | str, dict[str, Any]] = {
    200: {"model": EnrollmentOut, "description": "The caller was enrolled before; nothing changed"}
}


@router.post(
    "/courses/{course_id:uuid}/enroll", status_code=201, responses={**_REPEATED, **problems(404, 409)}
)
def enroll(course_id: UUID, enrollments: EnrollmentsService, response: Response) -> EnrollmentOut:
    """Enroll the caller. A repetition changes nothing and answers 200."""
    enrollment, new = enrollments.enroll(course_id)
    if not new:
        response.status_code = 200
    return enrollment


@router.get("/courses/{course_id:uuid}/progress", response_model=ProgressOut, responses=problems(404))
def get_progress(course_id: UUID, enrollments: EnrollmentsService) -> Response:
    """Get the caller's own progress. Answers 404 `not_enrolled` if the caller is not enrolled."""
    return json_response(enrollments.progress(course_id))


@router.post("/lessons/{lesson_id:uuid}/complete", responses=problems(404))
def complete_lesson(lesson_id: UUID, enrollments: EnrollmentsService) -> CompletionOut:
    """Mark a lesson as completed by the caller. A repetition changes nothing."""
    return enrollments.complete(lesson_id)


@activity_router.get("/courses/activity")
def activity(enrollments: EnrollmentsService) -> LearningActivity:
    """Count the caller's enrollments and completed lessons."""
    return enrollments.activity()
