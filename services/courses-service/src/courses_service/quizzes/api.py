"""Routes of quizzes."""

from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Depends, Response

from cogniflow_kit.errors import problems
from cogniflow_kit.schemas import Page, PageRequest
from courses_service.dependencies import QuizzesService
from courses_service.quizzes.schemas import AttemptOut, NewAttempt

router = APIRouter(prefix="/api/quizzes", tags=["quizzes"])
_AGAIN: dict[int | str, dict[str, Any]] = {
    200: {"model": AttemptOut, "description": "This attempt was made before; its result again"}
}


@router.post("/{quiz_id:uuid}/attempts", status_code=201, responses={**_AGAIN, **problems(404, 409)})
def attempt_quiz(quiz_id: UUID, body: NewAttempt, quizzes: QuizzesService, response: Response) -> AttemptOut:
    """Answer a quiz: the score, and feedback on each question.

    Sent again with the same `client_attempt_id`, the first result comes back
    with 200; with other answers 409.
    """
    attempt, new = quizzes.attempt(quiz_id, body)
    if not new:
        response.status_code = 200
    return attempt


@router.get("/{quiz_id:uuid}/attempts", responses=problems(404))
def list_attempts(
    quiz_id: UUID, quizzes: QuizzesService, page: Annotated[PageRequest, Depends()]
) -> Page[AttemptOut]:
    """The caller's own attempts, oldest first."""
    return quizzes.own_attempts(quiz_id, page)
