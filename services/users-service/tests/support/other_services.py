"""The other services' routes of exports and erasures, for tests of users-service."""

import json
from dataclasses import dataclass, field
from threading import Lock
from typing import Any

from cogniflow_dev.testing.servers import Call

PARTS = ("courses", "chat", "analytics")


@dataclass
class OtherServices:
    """Serves three services, each under a path prefix, and the route that issues service tokens."""

    url: str = ""
    held: dict[tuple[str, str], list[str]] = field(default_factory=dict)
    """The stored texts by service and user id."""
    away: set[str] = field(default_factory=set)
    asked: list[tuple[str, str]] = field(default_factory=list)
    _lock: Lock = field(default_factory=Lock)

    def settings(self) -> dict[str, Any]:
        return {"users_url": self.url, **{f"{part}_url": f"{self.url}/{part}" for part in PARTS}}

    def write(self, user_id: object, words: str) -> None:
        for part in PARTS:
            self.held.setdefault((part, str(user_id)), []).append(f"{words} in {part}")

    def answer(self, call: Call) -> tuple[int, Any]:
        if call.path == "/internal/tokens":
            return 200, {"access_token": "service", "expires_in": 60}
        part, _, _, user_id, what = call.path.strip("/").split("/")
        assert call.headers["Authorization"] == "Bearer service"
        with self._lock:
            self.asked.append((part, what))
            if part in self.away:
                return 503, {}
            if what == "erase":
                gone = self.held.pop((part, user_id), [])
                return 200, {"erased": {"postgresql.words": len(gone)}}
            return 200, self._page(part, user_id, int(call.query.get("cursor", "0")))

    def _page(self, part: str, user_id: str, start: int) -> dict[str, Any]:
        words = self.held.get((part, user_id), [])
        items = [{"store": "postgresql.words", "record": {"said": said}} for said in words[start : start + 1]]
        more = start + 1 < len(words)
        return {"items": items, "next_cursor": str(start + 1) if more else None}

    def everything(self) -> str:
        return json.dumps([f"{key} {value}" for key, value in self.held.items()])
