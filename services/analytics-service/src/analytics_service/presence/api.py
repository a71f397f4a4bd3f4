"""Routes of presence."""

from typing import Annotated

from fastapi import APIRouter, Query

from analytics_service.presence.dependencies import PresenceService
from analytics_service.presence.schemas import Online
from cogniflow_kit.identity import CurrentUser

router = APIRouter(prefix="/api/presence", tags=["presence"])


@router.put("", status_code=204)
def say_present(user: CurrentUser, presence: PresenceService) -> None:
    """Send a heartbeat. To stay online, the caller repeats it within `window_seconds`."""
    presence.heartbeat(user)


@router.get("")
def who_is_online(
    user: CurrentUser,
    presence: PresenceService,
    limit: Annotated[int, Query(ge=1, le=1000)] = 100,
) -> Online:
    """Get the number of online users and, for teaching roles, the `limit` most recently seen users."""
    return presence.online(user, limit)
