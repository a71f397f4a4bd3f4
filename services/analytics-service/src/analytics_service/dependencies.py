"""Dependencies that several features share. Each feature wires itself in its `dependencies.py`."""

from typing import Annotated

from fastapi import Depends, Request

from cogniflow_kit.mongo import Mongo


async def get_mongo(request: Request) -> Mongo:
    mongo: Mongo = request.app.state.mongo
    return mongo


MongoStore = Annotated[Mongo, Depends(get_mongo)]
