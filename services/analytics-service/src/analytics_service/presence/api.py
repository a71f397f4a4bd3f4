"""Heartbeats, and who is online."""

from typing import Annotated

from fastapi import APIRouter, Query

from analytics_service.dependencies import PresenceService
from analytics_service.presence.schemas import Online
from cogniflow_kit.identity import CurrentUser

router = APIRouter(prefix="/api/presence", tags=["presence"])


@router.put("", status_code=204)
def say_present(user: CurrentUser, presence: PresenceService) -> None:
    """Say that the caller is there; to stay online, repeat it within the window of `GET`."""
    presence.heartbeat(user)


@router.get("")
def who_is_online(
    user: CurrentUser,
    presence: PresenceService,
    limit: Annotated[int, Query(ge=1, le=1000)] = 100,
) -> Online:
    """The number online and, for teaching roles, the most recently seen `limit` of them."""
    return presence.online(user, limit)
