"""Somebody talks to the support intake without an account, and keeps nothing but the key."""

from typing import Any

import httpx
from gateway_people import Person
from taking_part import SESSION_KEY, TakingPart, begin_anonymously


class Visitor:
    def __init__(self, address: str) -> None:
        self.address = address
        self.session = begin_anonymously(address, "support-intake")
        self.key = self.session.headers[SESSION_KEY]
        self.before: dict[str, Any] = {}

    def tell(self) -> None:
        self.session.say("Yes")
        reply = self.session.say("My sister Ana and my neighbor Tom")
        assert reply["question"]["step"] == "strengths"

    def be_in_distress(self) -> None:
        """Places to find help come first, and the interview waits."""
        reply = self.session.say("I feel worthless and I want to kill myself.")
        assert next(iter(reply)) == "resources"
        assert any("Find A Helpline" in place["name"] for place in reply["resources"])
        assert (reply["question_completed"], reply["question"]["step"]) == (False, "strengths")
        self.before = self.session.read()

    def come_back(self) -> None:
        """On a client that knows the address of the session and its key."""
        headers = {SESSION_KEY: self.key}
        with httpx.Client(base_url=self.address, timeout=60) as http:
            assert http.get(self.session.path).status_code == 401
            guess = self.key[:-1] + ("A" if self.key[-1] != "A" else "B")
            assert http.get(self.session.path, headers={SESSION_KEY: guess}).status_code == 404
            assert http.get(self.session.path, headers=headers).raise_for_status().json() == self.before
        reply = self.session.say("I can fix bikes")
        assert reply["question"]["step"] == "worries"

    def claim(self, person: Person) -> TakingPart:
        """Make the session an account's; it goes on there."""
        before = self.session.read()
        claimed = person.http.post(f"{self.session.path}/claim", headers={SESSION_KEY: self.key})
        assert claimed.raise_for_status().json() == before | {"anonymous": False}
        assert self.session.get().status_code == 404, "the key has done its duty"
        return TakingPart(person.http, self.session.id, said=self.session.said)


def finish_the_intake(session: TakingPart) -> None:
    session.say("rather not say")
    session.say("I'd see my friends once a week again.")
    reply = session.say("Yes, that's right. Thank you!")
    assert (reply["session_completed"], reply["question"]) == (True, None)
    summary = session.read("/summary")
    assert summary["generated_at"] is not None, "stored with the last answer"
    assert "My sister Ana and my neighbor Tom" in str(summary["summary"])
    assert session.heard() == session.said
