"""Responses cached in Redis under keys that contain the course version they were built from."""

from collections.abc import Callable
from zlib import crc32

from sqlalchemy import TextClause

from cogniflow_kit.redis import Cache


def query_fingerprint(query: TextClause) -> str:
    """A key part that changes with the SQL, so that a new release never reads responses of an older one."""
    return f"{crc32(query.text.encode()):08x}"


def get_or_build(cache: Cache, build: Callable[[], bytes], *key: object) -> bytes:
    """The cached response, or a new one from `build`, which is then cached.

    The caller has read the version in `key` from PostgreSQL in the same
    request. So an edit shows at once, even if Redis was away when it happened.
    """
    cached = cache.get(*key)
    if cached is None:
        cached = build()
        cache.put(cached, *key)
    return cached
