"""Bodies of the program routes."""

from datetime import datetime
from typing import Annotated, Literal, Self
from uuid import UUID

from pydantic import ConfigDict, StringConstraints, model_validator

from chat_service.message_fields import ClientMessageId, MessageText
from chat_service.programs.coach.coach import CoachReply
from chat_service.programs.coach.intents import Kind
from chat_service.programs.coach.next_step import NextStep
from chat_service.programs.coach.session_state import ProgramSession
from chat_service.programs.content.model import Question, Week
from chat_service.safety.help.places import Resource
from chat_service.turns.model import Status
from cogniflow_kit.schemas import RequestBody, ResponseBody

Name = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=80)]
Locale = Annotated[str, StringConstraints(pattern=r"^[a-z]{2,3}(-[A-Z]{2})?$")]
RecordingRef = Annotated[str, StringConstraints(pattern=r"^[\x21-\x7e]{1,512}$")]


class StartProgram(RequestBody):
    """`name`: how the coach addresses the learner; without it, the first name in their account.

    `locale`: for places to find help nearby, such as `en-GB`; without it, the program's.
    """

    name: Name | None = None
    locale: Locale | None = None


class Answer(RequestBody):
    """`client_message_id`: made by the client for each message, the same in every repetition of it.

    A spoken answer has `message_type` voice, its transcript as `text`, and
    `recording_ref`, by which the client finds the recording again.
    """

    # As `_recordings_are_spoken` has it, for who reads the description.
    model_config = ConfigDict(
        json_schema_extra={
            "not": {
                "required": ["recording_ref"],
                "properties": {"message_type": {"const": "text"}, "recording_ref": {"type": "string"}},
            }
        }
    )

    text: MessageText
    client_message_id: ClientMessageId
    message_type: Literal["text", "voice"] = "text"
    recording_ref: RecordingRef | None = None

    @model_validator(mode="after")
    def _recordings_are_spoken(self) -> Self:
        if self.recording_ref is not None and self.message_type != "voice":
            raise ValueError("recording_ref belongs to a message of type voice")
        return self


class Restart(RequestBody):
    """`client_message_id` makes it repeatable, like a message."""

    client_message_id: ClientMessageId


class ProgramOut(ResponseBody):
    """`session_id`: the caller's open session of it, if there is one."""

    id: UUID
    slug: str
    title: str
    description: str
    coach: str
    locale: str
    anonymous: bool
    version: int
    weeks: int
    session_id: UUID | None


class QuestionOut(ResponseBody):
    """What the learner is asked now. `iteration` counts the attempts from 1."""

    week: int
    number: int
    text: str
    question_type: str
    step: str | None
    choices: list[str]
    skippable: bool
    iteration: int


class Reply(ResponseBody):
    """What a message led to. With `resources`, show them before everything else.

    `missing` names what the answer still lacks; `question` is what to answer
    next, null once the session is completed.
    """

    resources: list[Resource]
    response: str
    intent: Kind
    scenario: str | None
    missing: list[str]
    skipped: bool
    question_completed: bool
    week_completed: bool
    session_completed: bool
    question: QuestionOut | None
    version: int


class AnswerOut(Reply):
    """`status` queued: kept on disk while the database is away; turn_id and sequence come with its return."""

    session_id: UUID
    status: Literal["completed", "queued"] = "completed"
    turn_id: UUID | None
    sequence: int | None


class MessageOut(ResponseBody):
    """`run` counts how often the week was begun."""

    sender: Literal["user", "nova"]
    message_text: str
    message_type: Literal["text", "voice"]
    recording_ref: str | None
    week: int
    run: int
    question_number: int | None
    turn_sequence: int
    created_at: datetime
    queued: bool = False


class WeekProgress(ResponseBody):
    """A `locked` week opens when the one before it is completed."""

    week: int
    title: str
    status: Literal["locked", "open", "completed"]
    questions: int
    questions_completed: int
    is_completed: bool
    run: int
    kept: dict[str, str]


class WeekOut(ResponseBody):
    """A week that was begun, to read back. `answers` are its newest run's, by question."""

    week: int
    title: str
    description: str
    video_content: str
    exercise_content: str
    run: int
    is_completed: bool
    kept: dict[str, str]
    answers: dict[str, list[str]]
    messages: list[MessageOut]


class LastTurn(ResponseBody):
    """The newest turn; a failed one is answered when its client sends it again."""

    turn_id: UUID
    sequence: int
    client_message_id: str
    status: Status


class SessionListed(ResponseBody):
    id: UUID
    program: str
    title: str
    version: int
    week: int
    completed: bool
    paused: bool
    created_at: datetime
    last_activity: datetime


class SessionOut(ResponseBody):
    """Everything needed to go on, on this device or another. `answers`: the current week's, by question.

    Not `stored`: the database is away, and `messages` are only those since then.
    """

    id: UUID
    program: str
    program_version: int
    title: str
    coach: str
    name: str
    locale: str
    anonymous: bool
    version: int
    completed: bool
    paused: bool
    stored: bool = True
    week: int
    week_title: str
    question: QuestionOut | None
    progress: list[WeekProgress]
    answers: dict[str, list[str]]
    messages: list[MessageOut]
    last_turn: LastTurn | None


class AnonymousStart(ResponseBody):
    """`session_key` opens the session, in the header X-Session-Key. It is shown once and kept nowhere."""

    session_key: str
    session: SessionOut


def question_out(week: Week, question: Question, text: str, iteration: int) -> QuestionOut:
    return QuestionOut(
        week=week.week_number,
        number=question.question_number,
        text=text,
        question_type=question.question_type,
        step=question.step,
        choices=question.choices,
        skippable=question.skippable,
        iteration=iteration,
    )


def reply_to(program_session: ProgramSession, step: CoachReply, next_step: NextStep) -> Reply:
    question = program_session.context.question
    opened = next_step.state.state_of(next_step.state.current_week_id)
    asked = next_step.question
    iteration = opened.data.iterations(asked.question_number) + 1 if opened and asked else 1
    return Reply(
        resources=step.resources,
        response=step.response,
        intent=step.intent.kind,
        scenario=step.scenario(question) if step.kind in ("answer", "skip") else None,
        missing=step.validation.missing if step.validation else [],
        skipped=step.kind == "skip",
        question_completed=step.completes(question),
        week_completed=next_step.week_completed,
        session_completed=next_step.session_completed,
        question=question_out(next_step.week, asked, next_step.text or "", iteration) if asked else None,
        version=next_step.state.version,
    )


def session_out(
    program_session: ProgramSession,
    messages: list[MessageOut],
    last_turn: LastTurn | None,
    *,
    stored: bool = True,
) -> SessionOut:
    session_state, context = program_session.state, program_session.context
    return SessionOut(
        id=session_state.session_id,
        program=program_session.program.slug,
        program_version=program_session.program.version,
        title=program_session.program.title,
        coach=program_session.program.coach,
        name=session_state.name,
        locale=session_state.locale,
        anonymous=session_state.anonymous,
        version=session_state.version,
        completed=session_state.completed,
        paused=session_state.paused_at is not None,
        stored=stored,
        week=context.week.week_number,
        week_title=context.week.title,
        question=None if session_state.completed else _open_question(program_session),
        progress=[_progress(program_session, week) for week in program_session.program.active_weeks],
        answers=context.state.answers,
        messages=messages,
        last_turn=last_turn,
    )


def _open_question(program_session: ProgramSession) -> QuestionOut:
    context = program_session.context
    text = context.text(context.question.question_text)
    return question_out(context.week, context.question, text, context.iteration)


def week_out(program_session: ProgramSession, week: Week, messages: list[MessageOut]) -> WeekOut:
    """A week that was begun."""
    state = program_session.state.state_of(week.week_id)
    assert state is not None, "only a week that was begun is read back"
    return WeekOut(
        week=week.week_number,
        title=week.title,
        description=week.description,
        video_content=week.video_content,
        exercise_content=week.exercise_content,
        run=state.run,
        is_completed=state.is_completed,
        kept=state.data.choices,
        answers=state.data.answers,
        messages=messages,
    )


def _progress(program_session: ProgramSession, week: Week) -> WeekProgress:
    state = program_session.state.state_of(week.week_id)
    completed = sum(state.data.question_completed.values()) if state else 0
    return WeekProgress(
        week=week.week_number,
        title=week.title,
        status="locked" if state is None else "completed" if state.is_completed else "open",
        questions=len(week.questions),
        questions_completed=completed,
        is_completed=state is not None and state.is_completed,
        run=state.run if state else 0,
        kept=state.data.choices if state else {},
    )
