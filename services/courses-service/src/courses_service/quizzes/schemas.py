"""Request and response bodies of the quiz routes."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

from pydantic import Field

from cogniflow_kit.schemas import RequestBody, ResponseBody

ClientId = Annotated[str, Field(pattern=r"^[A-Za-z0-9._-]{1,64}$")]


class Answer(RequestBody):
    """The choices that the learner made in one question. No choice at all is a wrong answer."""

    question_id: UUID
    choice_ids: list[UUID] = Field(max_length=50)


class NewAttempt(RequestBody):
    """The client chooses `client_attempt_id`. A repetition with the same id returns the first result."""

    client_attempt_id: ClientId
    answers: list[Answer] = Field(max_length=100)


class ChoiceFeedback(ResponseBody):
    choice_id: UUID
    feedback: str


class QuestionResult(ResponseBody):
    """`feedback`: the author's feedback on the choices made. `explanation`: shown after every attempt."""

    question_id: UUID
    correct: bool
    chosen_ids: list[UUID]
    correct_ids: list[UUID]
    feedback: list[ChoiceFeedback]
    explanation: str


class AttemptOut(ResponseBody):
    """A question scores one point if the learner chose all correct choices and no other."""

    id: UUID
    quiz_id: UUID
    lesson_id: UUID
    course_id: UUID
    client_attempt_id: str
    score: int
    max_score: int
    results: list[QuestionResult]
    submitted_at: datetime
