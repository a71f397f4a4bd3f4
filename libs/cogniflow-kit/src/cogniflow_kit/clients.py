"""HTTP calls to other services, with timeout, retries, request id and access token."""

import time
from collections.abc import Mapping
from threading import Lock
from typing import Any

import httpx
import stamina

from cogniflow_kit.context import REQUEST_ID_HEADER, request_id
from cogniflow_kit.errors import Unavailable
from cogniflow_kit.settings import ServiceSettings

_TIMEOUT = httpx.Timeout(5.0, connect=1.0)


def _may_succeed_later(error: Exception) -> bool:
    if isinstance(error, httpx.HTTPStatusError):
        return error.response.status_code in (502, 503, 504)
    return isinstance(error, httpx.TransportError)


class ServiceTokens:
    """This service's access tokens, one per audience and scope.

    From users-service by the client-credentials grant (RFC 6749, section 4.4);
    renewed 10 s before they expire.
    """

    def __init__(self, settings: ServiceSettings, http: httpx.Client) -> None:
        self._settings = settings
        self._http = http
        self._lock = Lock()
        self._tokens_by_use: dict[tuple[str, str], tuple[str, float]] = {}

    def get(self, audience: str, scope: str) -> str:
        with self._lock:
            token, expires_at = self._tokens_by_use.get((audience, scope), ("", 0.0))
            if time.monotonic() < expires_at - 10:
                return token
            answer = self._http.post(
                f"{self._settings.users_url}/internal/tokens",
                data={
                    "grant_type": "client_credentials",
                    "client_id": self._settings.service,
                    "client_secret": self._settings.service_client_secret.get_secret_value(),
                    "audience": audience,
                    "scope": scope,
                },
            )
            issued = answer.raise_for_status().json()
            token = str(issued["access_token"])
            self._tokens_by_use[audience, scope] = (token, time.monotonic() + issued["expires_in"])
            return token


class ServiceClient:
    """A thread-safe HTTP client for one service.

    Ignores proxies of the environment, which would see the tokens. Raises:
    Unavailable (no response, or 5xx, after retries).
    """

    def __init__(self, settings: ServiceSettings, audience: str, base_url: str) -> None:
        self._audience = audience
        self._base_url = base_url
        self._http = httpx.Client(timeout=_TIMEOUT, trust_env=False)
        self._tokens = ServiceTokens(settings, self._http)

    def get_as_user(self, path: str, token: str) -> httpx.Response:
        """GET with the user's token; 4xx responses are returned."""
        return self._call("GET", path, bearer=token)

    def get(self, path: str, *, scope: str, params: Mapping[str, Any] | None = None) -> httpx.Response:
        """GET with this service's own token."""
        return self._call("GET", path, scope=scope, params=params)

    def post(self, path: str, *, scope: str, json: Any) -> httpx.Response:
        """POST with this service's own token; only for idempotent calls, because it is retried."""
        return self._call("POST", path, scope=scope, json=json)

    def close(self) -> None:
        self._http.close()

    def _call(
        self, method: str, path: str, *, scope: str = "", bearer: str | None = None, **kwargs: Any
    ) -> httpx.Response:
        try:
            for attempt in stamina.retry_context(
                on=_may_succeed_later, attempts=3, timeout=6.0, wait_initial=0.1, wait_max=1.0
            ):
                with attempt:
                    token = bearer or self._tokens.get(self._audience, scope)
                    headers = {"Authorization": f"Bearer {token}"}
                    if current := request_id.get():
                        headers[REQUEST_ID_HEADER] = current
                    answer = self._http.request(method, self._base_url + path, headers=headers, **kwargs)
                    if answer.status_code >= 500:
                        answer.raise_for_status()
        except httpx.HTTPError as error:
            raise Unavailable(f"{self._audience} is away; try again shortly.") from error
        return answer
