"""How much somebody has talked here, in numbers."""

from fastapi import APIRouter

from chat_service.dependencies import Conversations
from cogniflow_kit.identity import CurrentUser
from cogniflow_kit.schemas import ResponseBody

router = APIRouter(tags=["activity"])


class TalkingActivity(ResponseBody):
    """`conversations` with the tutor."""

    conversations: int


@router.get("/api/chat/activity")
def activity(user: CurrentUser, conversations: Conversations) -> TalkingActivity:
    """How many conversations the caller has had."""
    return TalkingActivity(conversations=conversations.count(user.id))
