"""The application's key ring as a request dependency."""

from typing import Annotated

from fastapi import Depends, Request

from users_service.keys.service import KeyRing


async def get_keys(request: Request) -> KeyRing:
    keys: KeyRing = request.app.state.keys
    return keys


Keys = Annotated[KeyRing, Depends(get_keys)]
