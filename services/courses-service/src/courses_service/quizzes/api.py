"""Routes of quizzes."""

from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Depends, Response

from cogniflow_kit.errors import problems
from cogniflow_kit.schemas import Page, PageRequest
from courses_service.quizzes.dependencies import QuizzesService
from courses_service.quizzes.grading import GivenAnswer
from courses_service.quizzes.schemas import AttemptOut, NewAttempt

router = APIRouter(prefix="/api/quizzes", tags=["quizzes"])
_REPEATED: dict[int | str, dict[str, Any]] = {
    200: {"model": AttemptOut, "description": "The attempt was submitted before; this is its first result"}
}


@router.post("/{quiz_id:uuid}/attempts", status_code=201, responses={**_REPEATED, **problems(404, 409)})
def attempt_quiz(quiz_id: UUID, body: NewAttempt, quizzes: QuizzesService, response: Response) -> AttemptOut:
    """Submit answers to a quiz and get the score, with feedback on each question.

    A repetition with the same `client_attempt_id` answers 200 with the first
    result. With other answers it answers 409.
    """
    answers = [GivenAnswer(answer.question_id, tuple(answer.choice_ids)) for answer in body.answers]
    attempt, new = quizzes.attempt(quiz_id, body.client_attempt_id, answers)
    if not new:
        response.status_code = 200
    return AttemptOut.model_validate(attempt)


@router.get("/{quiz_id:uuid}/attempts", responses=problems(404))
def list_attempts(
    quiz_id: UUID, quizzes: QuizzesService, page: Annotated[PageRequest, Depends()]
) -> Page[AttemptOut]:
    """List the caller's own attempts, oldest first."""
    attempts, next_cursor = quizzes.own_attempts(quiz_id, page)
    items = [AttemptOut.model_validate(attempt) for attempt in attempts]
    return Page(items=items, next_cursor=next_cursor)
