"""Redis: caches and presence; it never holds the only copy of other data."""

import structlog
from redis import Redis
from redis.backoff import NoBackoff
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import TimeoutError as RedisTimeout
from redis.retry import Retry

from cogniflow_kit.errors import Unavailable
from cogniflow_kit.stores import Breaker, Outage

log = structlog.stdlib.get_logger(__name__)

_OUTAGE = (RedisConnectionError, RedisTimeout)
_AWAY = (*_OUTAGE, Unavailable)


class RedisStore:
    """A service's Redis connections; all its keys start with `prefix:`."""

    name = "redis"
    outage: Outage = _OUTAGE

    def __init__(self, url: str, prefix: str) -> None:
        self.prefix = prefix
        self.client = Redis.from_url(
            url, socket_timeout=1.0, socket_connect_timeout=0.5, retry=Retry(NoBackoff(), 1)
        )
        self.breaker = Breaker(self.name, self.outage)

    def key(self, *parts: object) -> str:
        return ":".join([self.prefix, *map(str, parts)])

    def check(self) -> None:
        self.client.ping()

    def close(self) -> None:
        self.client.close()


class Cache:
    """Cache of bytes; while Redis is unavailable every read is a miss."""

    def __init__(self, store: RedisStore, *, ttl_s: int = 3600) -> None:
        self._store = store
        self._ttl_s = ttl_s

    def get(self, *parts: object) -> bytes | None:
        try:
            with self._store.breaker.guard():
                found = self._store.client.get(self._store.key("cache", *parts))
        except _AWAY as error:
            log.warning("cache away", error=type(error).__name__)
            return None
        return found if isinstance(found, bytes) else None

    def put(self, value: bytes, *parts: object) -> None:
        try:
            with self._store.breaker.guard():
                self._store.client.set(self._store.key("cache", *parts), value, ex=self._ttl_s)
        except _AWAY as error:
            log.warning("cache away", error=type(error).__name__)
