"""Request and response bodies of the tutor's routes."""

from datetime import datetime
from uuid import UUID

from chat_service.message_fields import ClientMessageId, MessageText
from chat_service.safety.help.places import Resource
from chat_service.turns.model import Status
from cogniflow_kit.schemas import RequestBody, ResponseBody


class TutorMessage(RequestBody):
    """A question about a course. Without `conversation_id` it begins a conversation.

    `client_message_id`: created by the client for each message, and the same in
    every repetition of the message.
    """

    message: MessageText
    course_id: UUID
    conversation_id: UUID | None = None
    client_message_id: ClientMessageId


class Citation(ResponseBody):
    """The passage that supports the statements with this number in brackets."""

    number: int
    lesson_id: UUID
    lesson_title: str
    passage: str


class TutorAnswer(ResponseBody):
    """`resources`: help places to show before everything else. `answered`: whether the lessons answer it."""

    resources: list[Resource]
    answer: str
    answered: bool
    citations: list[Citation]
    conversation_id: UUID
    turn_id: UUID
    sequence: int


class ConversationOut(ResponseBody):
    """`title`: how its first message begins. `turns`: the number of messages in it."""

    id: UUID
    course_id: UUID
    title: str
    turns: int
    created_at: datetime
    last_message_at: datetime


class TurnOut(ResponseBody):
    """A message and its answer, which is null while the turn runs or when it failed."""

    id: UUID
    sequence: int
    client_message_id: str
    status: Status
    message: str
    answer: str | None
    answered: bool | None
    citations: list[Citation]
    created_at: datetime
    completed_at: datetime | None


class TalkingActivity(ResponseBody):
    """`conversations`: with the tutor."""

    conversations: int
