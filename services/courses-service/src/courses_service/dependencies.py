"""Dependencies that several features share. Each feature wires its own service in its `dependencies.py`.

A feature's dependency names the user before the database session, so that a
request without a valid token takes no database connection.
"""

from typing import Annotated

from fastapi import Depends, Request

from cogniflow_kit.redis import Cache


async def get_cache(request: Request) -> Cache:
    cache: Cache = request.app.state.cache
    return cache


ResponseCache = Annotated[Cache, Depends(get_cache)]
