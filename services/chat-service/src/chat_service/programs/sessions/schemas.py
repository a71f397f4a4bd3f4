"""Bodies of the program routes."""

from datetime import datetime
from typing import Annotated, Literal, Self
from uuid import UUID

from pydantic import ConfigDict, StringConstraints, model_validator

from chat_service.message_fields import ClientMessageId, MessageText
from chat_service.programs.coach.intents import Kind
from chat_service.safety.help.places import Resource
from chat_service.turns.model import Status
from cogniflow_kit.schemas import RequestBody, ResponseBody

Name = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=80)]
Locale = Annotated[str, StringConstraints(pattern=r"^[a-z]{2,3}(-[A-Z]{2})?$")]
RecordingRef = Annotated[str, StringConstraints(pattern=r"^[\x21-\x7e]{1,512}$")]


class StartProgram(RequestBody):
    """`name`: how the coach addresses the learner; without it, the first name in their account.

    `locale`: for places to find help nearby, such as `en-GB`; without it, the one that the header
    Accept-Language prefers, else the program's.
    """

    name: Name | None = None
    locale: Locale | None = None


class Answer(RequestBody):
    """`client_message_id`: made by the client for each message, the same in every repetition of it.

    A spoken answer has `message_type` voice, its transcript as `text`, and
    `recording_ref`, by which the client finds the recording again.
    """

    # What `_recordings_are_spoken` checks, in the terms of JSON Schema.
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


class AnswerOut(ResponseBody):
    """What a message led to. With `resources`, show them before everything else.

    `missing` names what the answer still lacks; `question` is what to answer
    next, null once the session is completed. `status` queued: the turn is
    kept on disk while the database is away; turn_id and sequence follow.
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
    """Everything a client needs to resume. `answers`: the current week's, by question.

    Not `stored`: the database is away, and `messages` are only those sent since then.
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
    """`session_key` opens the session, in the header X-Session-Key. It is shown once and not stored."""

    session_key: str
    session: SessionOut
