"""Bodies of the quiz routes, which are also what MongoDB keeps."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

from pydantic import Field

from cogniflow_kit.schemas import RequestBody, ResponseBody

ClientId = Annotated[str, Field(pattern=r"^[A-Za-z0-9._-]{1,64}$")]


class Answer(RequestBody):
    """The choices somebody made in one question; none is a wrong answer."""

    question_id: UUID
    choice_ids: list[UUID] = Field(max_length=50)


class NewAttempt(RequestBody):
    """`client_attempt_id` is the client's own: sent again, it gives the first result again."""

    client_attempt_id: ClientId
    answers: list[Answer] = Field(max_length=100)


class ChoiceFeedback(ResponseBody):
    choice_id: UUID
    feedback: str


class QuestionResult(ResponseBody):
    """`feedback` has what the author says to the choices made, `explanation` to everybody."""

    question_id: UUID
    correct: bool
    chosen_ids: list[UUID]
    correct_ids: list[UUID]
    feedback: list[ChoiceFeedback]
    explanation: str


class AttemptOut(ResponseBody):
    """One point for each question whose right choices, and no others, were made."""

    id: UUID
    quiz_id: UUID
    lesson_id: UUID
    course_id: UUID
    client_attempt_id: str
    score: int
    max_score: int
    results: list[QuestionResult]
    submitted_at: datetime
