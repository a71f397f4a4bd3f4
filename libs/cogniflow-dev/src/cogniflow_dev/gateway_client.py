"""Requests to a running platform through its gateway."""

from typing import Any, BinaryIO

import httpx

# Importing a large course takes minutes.
_TIMEOUT = httpx.Timeout(10, read=300, write=300)


class PlatformRefused(RuntimeError):
    """The platform answered with an error; the message is the platform's."""


def import_course(address: str, username: str, password: str, name: str, archive: BinaryIO) -> dict[str, Any]:
    """Log in, upload a course archive, and return the import's result.

    Raises: PlatformRefused, or httpx.HTTPError if the platform doesn't answer.
    """
    # trust_env: a proxy from the environment must not be used for the loopback interface.
    with httpx.Client(base_url=address, timeout=_TIMEOUT, trust_env=False) as http:
        login = {"username": username, "password": password}
        token = _body(http.post("/api/auth/token", data=login))["access_token"]
        return _body(
            http.post(
                "/api/courses/import",
                files={"file": (name, archive, "application/gzip")},
                headers={"Authorization": f"Bearer {token}"},
            )
        )


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
