"""Routes of the tutor."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends

from chat_service.dependencies import PreferredLocale
from chat_service.safety.help.offline_help import help_on_failure
from chat_service.stored_form import fields_of
from chat_service.turns.model import Turn
from chat_service.tutor.dependencies import Conversations, TutorService
from chat_service.tutor.replies import TutorReply
from chat_service.tutor.schemas import ConversationOut, TalkingActivity, TurnOut, TutorAnswer, TutorMessage
from cogniflow_kit.errors import problems
from cogniflow_kit.identity import CurrentUser
from cogniflow_kit.schemas import Page, PageRequest

router = APIRouter(prefix="/api/chat", tags=["tutor"])
activity_router = APIRouter(tags=["activity"])


@router.post("/message", responses=problems(404, 409))
def ask(
    body: TutorMessage, user: CurrentUser, tutor: TutorService, preferred_locale: PreferredLocale
) -> TutorAnswer:
    """Ask about a course. Repeating the same client_message_id returns the same answer."""
    with help_on_failure(body.message, preferred_locale):
        return _answer(tutor.ask(user, body, preferred_locale))


@router.get("/conversations")
def list_conversations(
    user: CurrentUser, conversations: Conversations, page: Annotated[PageRequest, Depends()]
) -> Page[ConversationOut]:
    """List the caller's conversations with the tutor, newest first."""
    items, next_cursor = page.slice(conversations.conversations(user.id, page.after, page.limit))
    return Page(items=[ConversationOut.model_validate(item) for item in items], next_cursor=next_cursor)


@router.get("/conversations/{conversation_id}/messages", responses=problems(404))
def list_messages(
    conversation_id: UUID,
    user: CurrentUser,
    conversations: Conversations,
    page: Annotated[PageRequest, Depends()],
) -> Page[TurnOut]:
    """List the turns of a conversation in order."""
    items, next_cursor = page.slice(conversations.turns(user.id, conversation_id, page.after, page.limit))
    return Page(items=[TurnOut.model_validate(item) for item in items], next_cursor=next_cursor)


@activity_router.get("/api/chat/activity")
def activity(user: CurrentUser, conversations: Conversations) -> TalkingActivity:
    """Return how many conversations with the tutor the caller has had."""
    return TalkingActivity(conversations=conversations.count(user.id))


def _answer(turn: Turn[TutorReply]) -> TutorAnswer:
    assert turn.reply is not None, "a completed turn has its reply"
    return TutorAnswer.model_validate(
        {
            **fields_of(turn.reply),
            "conversation_id": turn.conversation_id,
            "turn_id": turn.id,
            "sequence": turn.sequence,
        }
    )
