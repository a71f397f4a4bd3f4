"""Who was seen when: a sorted set in Redis that forgets by itself."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from cogniflow_kit.redis import RedisStore

WINDOW_S = 120


class Sightings:
    """Users by the millisecond they were last seen. Losing Redis loses nothing that lasts."""

    def __init__(self, redis: RedisStore) -> None:
        self._redis = redis
        self._key = redis.key("presence")

    def add(self, seen: Mapping[UUID, datetime], now: datetime) -> None:
        """Keep the latest sighting of each user; drop those out of the window."""
        scores = {str(user_id): _milliseconds(moment) for user_id, moment in seen.items()}
        with self._redis.breaker.guard(), self._redis.client.pipeline() as commands:
            commands.zadd(self._key, scores, gt=True)
            commands.zremrangebyscore(self._key, "-inf", _window_start(now))
            commands.expire(self._key, WINDOW_S)
            commands.execute()

    def count(self, now: datetime) -> int:
        with self._redis.breaker.guard():
            return int(self._redis.client.zcount(self._key, f"({_window_start(now)}", "+inf"))

    def latest(self, now: datetime, limit: int) -> list[tuple[UUID, datetime]]:
        """At most `limit` users, the most recently seen first."""
        with self._redis.breaker.guard():
            found: Any = self._redis.client.zrange(
                self._key,
                "+inf",
                f"({_window_start(now)}",
                desc=True,
                byscore=True,
                withscores=True,
                offset=0,
                num=limit,
            )
        return [(UUID(member.decode()), _moment(score)) for member, score in found]

    def forget(self, user_id: UUID) -> int:
        with self._redis.breaker.guard():
            return int(self._redis.client.zrem(self._key, str(user_id)))

    def of(self, user_id: UUID, now: datetime) -> datetime | None:
        with self._redis.breaker.guard():
            score = self._redis.client.zscore(self._key, str(user_id))
        return _moment(score) if score is not None and score > _window_start(now) else None


def _milliseconds(moment: datetime) -> int:
    return int(moment.timestamp() * 1000)


def _window_start(now: datetime) -> int:
    return _milliseconds(now) - WINDOW_S * 1000


def _moment(score: float) -> datetime:
    return datetime.fromtimestamp(score / 1000, tz=UTC)
