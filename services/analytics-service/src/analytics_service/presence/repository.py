"""When each user was last seen: a sorted set in Redis whose entries expire."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from cogniflow_kit.redis import RedisStore

WINDOW_S = 120


class PresenceRepository:
    """User ids, scored by the Unix time in milliseconds when they were last seen."""

    def __init__(self, redis: RedisStore) -> None:
        self._redis = redis
        self._key = redis.key("presence")

    def add(self, seen: Mapping[UUID, datetime], now: datetime) -> None:
        """Keep the latest time of each user, and remove entries older than the window."""
        scores = {str(user_id): _milliseconds(seen_at) for user_id, seen_at in seen.items()}
        with self._redis.breaker.guard(), self._redis.client.pipeline() as commands:
            commands.zadd(self._key, scores, gt=True)
            commands.zremrangebyscore(self._key, "-inf", _window_start(now))
            commands.expire(self._key, WINDOW_S)
            commands.execute()

    def count(self, now: datetime) -> int:
        with self._redis.breaker.guard():
            return int(self._redis.client.zcount(self._key, f"({_window_start(now)}", "+inf"))

    def latest(self, now: datetime, limit: int) -> list[tuple[UUID, datetime]]:
        """At most `limit` users with the times they were last seen, the latest first."""
        with self._redis.breaker.guard():
            entries: Any = self._redis.client.zrange(
                self._key,
                "+inf",
                f"({_window_start(now)}",
                desc=True,
                byscore=True,
                withscores=True,
                offset=0,
                num=limit,
            )
        return [(UUID(member.decode()), _from_milliseconds(score)) for member, score in entries]

    def remove(self, user_id: UUID) -> int:
        with self._redis.breaker.guard():
            return int(self._redis.client.zrem(self._key, str(user_id)))

    def last_seen(self, user_id: UUID, now: datetime) -> datetime | None:
        with self._redis.breaker.guard():
            score = self._redis.client.zscore(self._key, str(user_id))
        return _from_milliseconds(score) if score is not None and score > _window_start(now) else None


def _milliseconds(time: datetime) -> int:
    return int(time.timestamp() * 1000)


def _window_start(now: datetime) -> int:
    return _milliseconds(now) - WINDOW_S * 1000


def _from_milliseconds(score: float) -> datetime:
    return datetime.fromtimestamp(score / 1000, tz=UTC)
