"""Somebody takes part in a guided program through the gateway, with an account or with a key alone."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from uuid import uuid4

import httpx

SESSION_KEY = "X-Session-Key"
WEEK_1 = (
    "In Monday's meeting my proposal was rejected in front of everybody and I thought I'm not good enough.",
    "Maybe they had no time to read it before the meeting.",
    "6",
    "I want to lead a small project, and I will notice because my calendar has a weekly project meeting.",
    "I doubt myself, and when that happens I will ask my colleague Ana to look at it with me.",
    "I will write to my manager on Tuesday morning, confidence 8.",
)
"""Leads through the first week of DRIVEN without a detour."""


@dataclass
class TakingPart:
    """A session as one client knows it. `said` are the texts that were acknowledged, in order."""

    http: httpx.Client
    id: str
    headers: Mapping[str, str] = field(default_factory=dict)
    said: list[str] = field(default_factory=list)
    attempts: int = 0
    """How many of them answered a question."""

    @property
    def path(self) -> str:
        return f"/api/programs/sessions/{self.id}"

    def send(self, text: str, message_id: str, **fields: Any) -> httpx.Response:
        body = {"text": text, "client_message_id": message_id, **fields}
        return self.http.post(f"{self.path}/answer", json=body, headers=self.headers)

    def say(self, text: str, **fields: Any) -> dict[str, Any]:
        """Say it, and once more with the same id, as a client does whose answer was lost on the way."""
        message_id = str(uuid4())
        first: dict[str, Any] = self.send(text, message_id, **fields).raise_for_status().json()
        self.said.append(text)
        self.attempts += first["intent"] == "answer" and not first["resources"]
        again = self.send(text, message_id, **fields).raise_for_status().json()
        assert _lasting(again) == _lasting(first)
        return first

    def restart(self, week: int) -> dict[str, Any]:
        body = {"client_message_id": str(uuid4())}
        return self._good(
            self.http.post(f"{self.path}/weeks/{week}/restart", json=body, headers=self.headers)
        )

    def pause(self) -> dict[str, Any]:
        return self._good(self.http.post(f"{self.path}/pause", headers=self.headers))

    def resume(self) -> dict[str, Any]:
        return self._good(self.http.post(f"{self.path}/resume", headers=self.headers))

    def read(self, part: str = "") -> dict[str, Any]:
        return self._good(self.get(part))

    def get(self, part: str = "", **params: str) -> httpx.Response:
        return self.http.get(f"{self.path}{part}", params=params, headers=self.headers)

    def heard(self) -> list[str]:
        """What the platform has from this participant, in its order."""
        return [message["message_text"] for message in self.read()["messages"] if message["sender"] == "user"]

    def waiting(self) -> int:
        """How many messages are on disk and not in the database yet."""
        return sum(message["queued"] for message in self.read()["messages"])

    def _good(self, answer: httpx.Response) -> dict[str, Any]:
        found: dict[str, Any] = answer.raise_for_status().json()
        return found


def begin(http: httpx.Client, slug: str) -> TakingPart:
    """With the account that the client is logged in with."""
    session = http.post(f"/api/programs/{slug}/start").raise_for_status().json()
    return TakingPart(http, session["id"])


def begin_anonymously(address: str, slug: str) -> TakingPart:
    """With a key that is all there is to go on with."""
    http = httpx.Client(base_url=address, timeout=60)
    begun = http.post(f"/api/programs/{slug}/start-anonymously").raise_for_status().json()
    return TakingPart(http, begun["session"]["id"], {SESSION_KEY: begun["session_key"]})


def _lasting(answer: dict[str, Any]) -> dict[str, Any]:
    """What stays the same when a queued turn is stored."""
    return {name: value for name, value in answer.items() if name not in ("status", "turn_id", "sequence")}
