"""Rules of presence: who is online, and who may see it."""

from collections.abc import Callable, Iterable
from datetime import datetime
from uuid import UUID

import structlog
from redis.exceptions import RedisError

from analytics_service.presence.repository import WINDOW_S, PresenceRepository
from analytics_service.presence.schemas import Online, Sighting
from cogniflow_kit.errors import Unavailable
from cogniflow_kit.identity import User
from cogniflow_kit.ids import utc_now

log = structlog.stdlib.get_logger(__name__)


class Presence:
    """A user is online for two minutes after a heartbeat or an event of theirs."""

    def __init__(self, users: PresenceRepository, clock: Callable[[], datetime] = utc_now) -> None:
        self._users = users
        self._clock = clock

    def heartbeat(self, user: User) -> None:
        now = self._clock()
        self._users.add({user.id: now}, now)

    def mark_actors(self, events: Iterable[tuple[UUID | None, datetime]]) -> None:
        """Mark the actors of events as seen at the time of the event. Takes (actor id, time) pairs.

        An outage of Redis is only logged: it must not stop events from being stored.
        """
        now = self._clock()
        seen: dict[UUID, datetime] = {}
        for actor_id, occurred_at in events:
            if actor_id is not None:
                seen_at = min(occurred_at, now)
                seen[actor_id] = max(seen_at, seen.get(actor_id, seen_at))
        if not seen:
            return
        try:
            self._users.add(seen, now)
        except (RedisError, Unavailable) as error:
            log.warning("presence not marked", users=len(seen), error=type(error).__name__)

    def online(self, user: User, limit: int) -> Online:
        """Teaching roles see all online users; other users see the number and themselves."""
        now = self._clock()
        if user.teaches:
            users = self._users.latest(now, limit)
        else:
            seen_at = self._users.last_seen(user.id, now)
            users = [(user.id, seen_at)] if seen_at is not None else []
        return Online(
            online=self._users.count(now),
            window_seconds=WINDOW_S,
            users=[Sighting(user_id=user_id, last_seen_at=seen_at) for user_id, seen_at in users],
        )
