"""Who is online, and who may know it."""

from collections.abc import Callable, Iterable
from datetime import datetime
from uuid import UUID

import structlog
from redis.exceptions import RedisError

from analytics_service.presence.repository import WINDOW_S, Sightings
from analytics_service.presence.schemas import Online, Sighting
from cogniflow_kit.errors import Unavailable
from cogniflow_kit.identity import User
from cogniflow_kit.ids import utc_now

log = structlog.stdlib.get_logger(__name__)


class Presence:
    """Somebody is online for two minutes after a heartbeat or an event of theirs."""

    def __init__(self, sightings: Sightings, clock: Callable[[], datetime] = utc_now) -> None:
        self._sightings = sightings
        self._clock = clock

    def heartbeat(self, user: User) -> None:
        now = self._clock()
        self._sightings.add({user.id: now}, now)

    def notice(self, acts: Iterable[tuple[UUID | None, datetime]]) -> None:
        """Mark the actors of events as seen when they acted, not when the news came.

        Presence may be lost and events may not, so Redis being away is only logged.
        """
        now = self._clock()
        seen: dict[UUID, datetime] = {}
        for actor_id, occurred_at in acts:
            if actor_id is not None:
                acted = min(occurred_at, now)
                seen[actor_id] = max(acted, seen.get(actor_id, acted))
        if not seen:
            return
        try:
            self._sightings.add(seen, now)
        except (RedisError, Unavailable) as error:
            log.warning("presence not marked", users=len(seen), error=type(error).__name__)

    def online(self, user: User, limit: int) -> Online:
        """Teaching roles see everybody, others the number and themselves."""
        now = self._clock()
        if user.teaches:
            users = self._sightings.latest(now, limit)
        else:
            seen_at = self._sightings.of(user.id, now)
            users = [(user.id, seen_at)] if seen_at is not None else []
        return Online(
            online=self._sightings.count(now),
            window_seconds=WINDOW_S,
            users=[Sighting(user_id=user_id, last_seen_at=seen_at) for user_id, seen_at in users],
        )
