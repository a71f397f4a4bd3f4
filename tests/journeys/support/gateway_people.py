"""People at the gateway, and how to wait for what travels on its own."""

import time
from collections.abc import Callable
from typing import Any
from uuid import uuid4

import httpx

PASSWORD = "a quiet walk at noon"


class Person:
    """Somebody at the gateway. Logs in again when asked to."""

    def __init__(self, address: str, username: str, password: str) -> None:
        self.username, self.password = username, password
        self.http = httpx.Client(base_url=address, timeout=60)
        self.log_in()

    def log_in(self) -> None:
        form = {"username": self.username, "password": self.password}
        tokens = self.http.post("/api/auth/token", data=form).raise_for_status().json()
        self.http.headers["Authorization"] = f"Bearer {tokens['access_token']}"
        self.refresh_token = tokens["refresh_token"]

    def get(self, path: str, **params: Any) -> Any:
        return self.http.get(path, params=params).raise_for_status().json()

    def post(self, path: str, **body: Any) -> Any:
        answer = self.http.post(path, json=body).raise_for_status()
        return answer.json() if answer.content else None

    def all(self, path: str) -> list[Any]:
        """Every item of a paged list."""
        page = self.get(path, limit=100)
        items: list[Any] = page["items"]
        while page["next_cursor"]:
            page = self.get(path, limit=100, cursor=page["next_cursor"])
            items += page["items"]
        return items


def register(address: str, name: str, full_name: str) -> Person:
    """Somebody new, logged in. The user name is `name` with something that makes it theirs alone."""
    username = f"{name}-{uuid4().hex[:8]}"
    account = {
        "username": username,
        "email": f"{username}@example.org",
        "full_name": full_name,
        "password": PASSWORD,
    }
    httpx.post(f"{address}/api/auth/register", json=account).raise_for_status()
    return Person(address, username, PASSWORD)


def eventually(found: Callable[[], Any], wanted: Any, within_s: float = 30) -> None:
    """Facts travel by the outbox: wait until they have arrived, and fail with what there is."""
    deadline = time.monotonic() + within_s
    while (seen := found()) != wanted and time.monotonic() < deadline:
        time.sleep(0.25)
    assert seen == wanted
