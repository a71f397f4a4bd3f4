"""Wires the presence feature."""

from typing import Annotated

from fastapi import Depends, Request

from analytics_service.presence.repository import PresenceRepository
from analytics_service.presence.service import Presence


async def get_presence(request: Request) -> Presence:
    return Presence(PresenceRepository(request.app.state.redis))


PresenceService = Annotated[Presence, Depends(get_presence)]
