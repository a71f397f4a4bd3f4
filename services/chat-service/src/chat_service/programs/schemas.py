"""Bodies of the programme routes."""

from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

from pydantic import StringConstraints

from chat_service.programs.coach import Standing, Step
from chat_service.programs.content import Question, Week
from chat_service.programs.place import ProgramPlace
from chat_service.programs.progress import Next
from chat_service.safety.check import Resource, resources
from chat_service.schemas import ClientMessageId, Words
from chat_service.turns.model import Status
from cogniflow_kit.schemas import RequestBody, ResponseBody


class StartProgram(RequestBody):
    """`name`: how the coach addresses the learner; without it, the first name in their account."""

    name: Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=80)] | None = None


class Answer(RequestBody):
    """`client_message_id`: made by the client for each message, the same in every repetition of it."""

    text: Words
    client_message_id: ClientMessageId


class ProgramOut(ResponseBody):
    """`session_id`: the caller's open session of it, if there is one."""

    id: UUID
    slug: str
    title: str
    description: str
    version: int
    weeks: int
    session_id: UUID | None


class QuestionOut(ResponseBody):
    """What the learner is asked now. `iteration` counts the attempts from 1."""

    week: int
    number: int
    text: str
    question_type: str
    iteration: int


class Reply(ResponseBody):
    """What an answer led to. With `resources`, show them before everything else.

    `missing` names what the answer still lacks; `question` is what to answer
    next, null once the session is completed.
    """

    resources: list[Resource]
    response: str
    scenario: str | None
    missing: list[str]
    question_completed: bool
    week_completed: bool
    session_completed: bool
    question: QuestionOut | None
    version: int


class AnswerOut(Reply):
    session_id: UUID
    turn_id: UUID
    sequence: int


class MessageOut(ResponseBody):
    sender: Literal["user", "nova"]
    message_text: str
    question_number: int | None
    turn_sequence: int
    created_at: datetime


class WeekProgress(ResponseBody):
    week: int
    title: str
    questions: int
    questions_completed: int
    is_completed: bool


class LastTurn(ResponseBody):
    """The newest turn; a failed one is answered when its client sends it again."""

    turn_id: UUID
    sequence: int
    client_message_id: str
    status: Status


class SessionOut(ResponseBody):
    """Everything needed to go on, on this device or another. `answers`: the current week's, by question."""

    id: UUID
    program: str
    program_version: int
    title: str
    name: str
    version: int
    completed: bool
    week: int
    week_title: str
    question: QuestionOut | None
    progress: list[WeekProgress]
    answers: dict[str, list[str]]
    messages: list[MessageOut]
    last_turn: LastTurn | None


def question_out(week: Week, question: Question, text: str, iteration: int) -> QuestionOut:
    return QuestionOut(
        week=week.week_number,
        number=question.question_number,
        text=text,
        question_type=question.question_type,
        iteration=iteration,
    )


def current_question(standing: Standing) -> QuestionOut:
    """The open question with its placeholders resolved."""
    text = standing.text(standing.question.question_text)
    return question_out(standing.week, standing.question, text, standing.iteration)


def reply_to(place: ProgramPlace, step: Step, following: Next) -> Reply:
    question, number = following.question, place.standing.question.question_number
    completed = step.completes(place.standing.question)
    same_question = question is not None and not completed
    iteration = step.state.iterations(number) + 1 if same_question else 1
    return Reply(
        resources=[] if step.is_answer else resources(),
        response=step.response,
        scenario=step.scenario(place.standing.question),
        missing=step.validation.missing if step.validation else [],
        question_completed=completed,
        week_completed=following.week_completed,
        session_completed=following.session_completed,
        question=question_out(following.week, question, following.text or "", iteration)
        if question
        else None,
        version=place.version + 1,
    )
