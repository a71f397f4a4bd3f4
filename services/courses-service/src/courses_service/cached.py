"""Reads whose answers are kept in Redis, under keys that name the version they were made from."""

from collections.abc import Callable
from zlib import crc32

from sqlalchemy import TextClause

from cogniflow_kit.redis import Cache


def shape(query: TextClause) -> str:
    """A part of the key that changes with the query: a new release never reads what an old one kept."""
    return f"{crc32(query.text.encode()):08x}"


def cached(cache: Cache, make: Callable[[], bytes], *key: object) -> bytes:
    """The kept answer, or a new one.

    The version in the key was read from PostgreSQL in this request, so an
    edit shows at once, even if Redis was away when it happened.
    """
    found = cache.get(*key)
    if found is None:
        found = make()
        cache.put(found, *key)
    return found
