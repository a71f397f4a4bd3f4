"""Verification keys of users-service, kept in the process."""

import asyncio
import time

import httpx
import structlog
from jose import jwk
from jose.exceptions import JOSEError

log = structlog.stdlib.get_logger(__name__)
_REFRESH_S = 300.0
_MIN_INTERVAL_S = 2.0


class PublishedKeys:
    """Reads `/.well-known/jwks.json`; known keys go on working while users-service is away.

    An unknown key id triggers a refresh, but at most one every two seconds, so
    that forged ids can't be used to flood users-service.
    """

    def __init__(self, users_url: str) -> None:
        self._url = f"{users_url}/.well-known/jwks.json"
        self._pems: dict[str, str] = {}
        self._tried_at = float("-inf")
        self._fetched_at = float("-inf")
        self._lock = asyncio.Lock()

    async def pem(self, kid: str) -> str | None:
        stale = time.monotonic() - self._fetched_at > _REFRESH_S
        # Whoever holds a known key doesn't wait for somebody else's refresh.
        if kid not in self._pems or (stale and not self._lock.locked()):
            await self._refresh()
        return self._pems.get(kid)

    async def _refresh(self) -> None:
        async with self._lock:
            if time.monotonic() - self._tried_at < _MIN_INTERVAL_S:
                return
            self._tried_at = time.monotonic()
            try:
                async with httpx.AsyncClient(timeout=2.0, trust_env=False) as client:
                    answer = (await client.get(self._url)).raise_for_status().json()
                self._pems = {key["kid"]: jwk.construct(key).to_pem().decode() for key in answer["keys"]}
            except (httpx.HTTPError, JOSEError, KeyError, TypeError, ValueError) as error:
                log.warning("signing keys not refreshed", error=type(error).__name__)
                return
            self._fetched_at = time.monotonic()
