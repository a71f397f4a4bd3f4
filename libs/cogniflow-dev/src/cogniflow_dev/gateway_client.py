"""The few calls that the command makes to a running platform, through its gateway."""

from dataclasses import dataclass
from typing import Any, BinaryIO, Self

import httpx

# Reading and storing a large course takes its time.
_TIMEOUT = httpx.Timeout(10, read=300, write=300)


class PlatformRefused(RuntimeError):
    """The platform answered with an error, in its own words."""


@dataclass(frozen=True)
class PlatformClient:
    """Someone who is logged in."""

    http: httpx.Client

    @classmethod
    def log_in(cls, address: str, username: str, password: str) -> Self:
        """Log in with a password; raises PlatformRefused, or httpx.HTTPError when nobody answers."""
        # A proxy of the user's environment has no business on the loopback interface.
        http = httpx.Client(base_url=address, timeout=_TIMEOUT, trust_env=False)
        answer = http.post("/api/auth/token", data={"username": username, "password": password})
        http.headers["Authorization"] = f"Bearer {_body(answer)['access_token']}"
        return cls(http)

    def import_course(self, name: str, archive: BinaryIO) -> dict[str, Any]:
        """Send a course archive; returns what became of it. Raises as `log_in` does."""
        files = {"file": (name, archive, "application/gzip")}
        return _body(self.http.post("/api/courses/import", files=files))


def _body(answer: httpx.Response) -> dict[str, Any]:
    try:
        body = answer.json()
    except ValueError:
        body = {}
    if answer.is_error or not isinstance(body, dict):
        raise PlatformRefused(_problem(answer.status_code, body))
    return body


def _problem(status: int, body: Any) -> str:
    if not isinstance(body, dict):
        return f"HTTP {status}"
    fields = [f"{item.get('field')}: {item.get('message')}" for item in body.get("errors", [])]
    return "; ".join([str(body.get("detail") or body.get("title") or f"HTTP {status}"), *fields])
