"""Somebody takes part in a program over HTTP, and what they may say in the one for tests."""

from dataclasses import dataclass, field
from typing import Any
from uuid import uuid4

from httpx import Client, Response

MISHAP = "In the meeting my plan was refused and I thought it was my fault."
WAY = [
    MISHAP,
    "Home",
    "I talked to my neighbor about it.",
    "Yes",
    "An eight",
    "I want to sleep longer every night.",
    "I will go to bed at ten on Monday.",
    "I learned to write things down every evening.",
]
"""Answers that lead through the program `practice` without a detour: five in week 1, two, one."""


@dataclass
class Taking:
    """A session; `begun` is how it read when it was begun."""

    client: Client
    headers: dict[str, str]
    begun: dict[str, Any]
    path: str = field(init=False)

    def __post_init__(self) -> None:
        self.path = f"/api/programs/sessions/{self.id}"

    @property
    def id(self) -> str:
        return str(self.begun["id"])

    def say(self, words: str, **fields: Any) -> Response:
        body = {"text": words, "client_message_id": str(uuid4()), **fields}
        return self.client.post(f"{self.path}/answer", json=body, headers=self.headers)

    def reply(self, words: str, **fields: Any) -> dict[str, Any]:
        return _good(self.say(words, **fields))

    def go(self, number: int, start: int = 0) -> list[dict[str, Any]]:
        """Say what the way through `practice` has next."""
        return [self.reply(words) for words in WAY[start : start + number]]

    def restart(self, week: int, name: str = "again") -> Response:
        body = {"client_message_id": name}
        return self.client.post(f"{self.path}/weeks/{week}/restart", json=body, headers=self.headers)

    def post(self, what: str) -> Response:
        return self.client.post(f"{self.path}/{what}", headers=self.headers)

    def get(self, what: str = "") -> Response:
        return self.client.get(f"{self.path}{what}", headers=self.headers)

    def read(self, what: str = "") -> dict[str, Any]:
        return _good(self.get(what))


def _good(answer: Response) -> dict[str, Any]:
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found
