"""Client of a running platform for commands that act as an administrator."""

from collections.abc import Generator
from contextlib import closing
from typing import Any, Self

import httpx

from cogniflow_dev.gateway_client import PlatformRefused

_TIMEOUT_S = 30.0


class _Login(httpx.Auth):
    """Adds the access token to requests, and refreshes it after it has expired (five minutes)."""

    requires_response_body = True

    def __init__(self, address: str, pair: dict[str, Any]) -> None:
        self._address = address
        self._pair = pair

    def auth_flow(self, request: httpx.Request) -> Generator[httpx.Request, httpx.Response, None]:
        answer = yield self._signed(request)
        if answer.status_code == 401:
            body = {"refresh_token": self._pair["refresh_token"]}
            renewed = yield httpx.Request("POST", f"{self._address}/api/auth/refresh", json=body)
            if renewed.is_success:
                self._pair = renewed.json()
                yield self._signed(request)

    def _signed(self, request: httpx.Request) -> httpx.Request:
        request.headers["Authorization"] = f"Bearer {self._pair['access_token']}"
        return request


class AdminClient:
    """A logged-in client. Calls raise PlatformRefused, or httpx.HTTPError if the platform doesn't answer."""

    def __init__(self, address: str, username: str, password: str) -> None:
        # trust_env: a proxy from the environment must not be used for the loopback interface.
        self._http = httpx.Client(base_url=address, timeout=_TIMEOUT_S, trust_env=False)
        login = {"username": username, "password": password}
        pair = _checked(self._http.post("/api/auth/token", data=login)).json()
        self._http.auth = _Login(address.rstrip("/"), pair)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        """Log out, which ends the login session."""
        with closing(self._http):
            self._http.post("/api/auth/logout")

    def call(self, method: str, path: str, **more: Any) -> httpx.Response:
        """Send any request; `more` are httpx's options."""
        return _checked(self._http.request(method, path, **more))

    def rotate_keys(self) -> dict[str, Any]:
        """Rotate the signing key; returns its id and the seconds until it signs."""
        return dict(_checked(self._http.post("/api/admin/keys/rotate")).json())

    def newest_mails(self, limit: int) -> list[dict[str, Any]]:
        """Outgoing mails, newest first; bodies are empty if a mail server sends them."""
        return list(_checked(self._http.get("/api/admin/mails", params={"limit": limit})).json()["items"])

    def create_user(self, new: dict[str, Any], *, dry_run: bool) -> httpx.Response:
        """Create a user and return the response. Raises: PlatformRefused, for 401, 403 and 5xx only."""
        answer = self._http.post("/api/users/", json=new, params={"dry_run": dry_run})
        return _checked(answer) if answer.status_code in (401, 403) or answer.status_code >= 500 else answer

    def find_user(self, column: str, value: str) -> dict[str, Any] | None:
        """The user with exactly this username or e-mail address, ignoring case; None if there is none."""
        params: dict[str, Any] = {"search": value, "limit": 100}
        while True:
            page = _checked(self._http.get("/api/users/", params=params)).json()
            for user in page["items"]:
                if user[column].lower() == value.lower():
                    return dict(user)
            if page["next_cursor"] is None:
                return None
            params["cursor"] = page["next_cursor"]


def problem_of(answer: httpx.Response) -> str:
    """The text of an error response: its invalid fields, else its detail."""
    try:
        body = answer.json()
    except ValueError:
        return f"HTTP {answer.status_code}"
    fields = [
        f"{item['field'].removeprefix('body.')}: {_field_message(item)}" for item in body.get("errors", [])
    ]
    return "; ".join(fields) or str(body.get("detail") or f"HTTP {answer.status_code}")


def _field_message(item: dict[str, str]) -> str:
    """The message of a field; mismatched patterns are not shown."""
    return "is not valid" if item["code"] == "string_pattern_mismatch" else item["message"]


def _checked(answer: httpx.Response) -> httpx.Response:
    if answer.is_error:
        raise PlatformRefused(problem_of(answer))
    return answer
