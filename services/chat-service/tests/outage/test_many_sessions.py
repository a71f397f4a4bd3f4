"""Twenty learners talk all the time while PostgreSQL is frozen or killed, and comes back.

`OUTAGE_SECONDS` says for how long it is away (8 s unless given). Nobody waits
over 2 s, and what was acknowledged is stored afterwards, once, in order, word
for word.
"""

import logging
import os
import random
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from threading import Event
from typing import Any

import httpx
import pytest

from cogniflow_dev.testing.tokens import headers

log = logging.getLogger(__name__)

OUTAGE_S = float(os.environ.get("OUTAGE_SECONDS", "8"))
LEARNERS = 20
LONGEST_S = 2.0
SAID = [
    "In Monday's meeting my proposal was rejected in front of everybody and I thought I'm not good enough.",
    "What do you mean by that?",
    "Maybe they had no time to read it before the meeting, which has happened to others as well.",
    "It still stings a little, so perhaps a 6.",
    "I can't think of anything, skip this please.",
    "I would like to lead a small team next year and I am afraid that nobody will listen to me.",
]
REPLY = (
    "response",
    "intent",
    "scenario",
    "missing",
    "question",
    "version",
    "question_completed",
    "resources",
)


@dataclass
class Learner:
    """Talks without end, and repeats a message until it is answered, as a sensible client does."""

    number: int
    as_self: dict[str, str]
    client: httpx.Client
    session_id: str = ""
    acknowledged: list[tuple[str, str, dict[str, Any]]] = field(default_factory=list)
    longest_s: float = 0.0
    repeated: int = 0

    def begin(self) -> None:
        answer = self.client.post("/api/programs/driven/start", headers=self.as_self)
        assert answer.status_code == 201, answer.text
        self.session_id = answer.json()["id"]

    @property
    def path(self) -> str:
        return f"/api/programs/sessions/{self.session_id}"

    def talk(self, until: Event) -> None:
        pace = random.Random(self.number)
        while not until.is_set():
            self.say(len(self.acknowledged))
            if pace.random() < 0.2:
                self.look()
            time.sleep(pace.uniform(0.1, 0.5))

    def say(self, number: int) -> None:
        name = f"message-{number}"
        if number % 12 == 11:  # the program would end else
            words, path, body = "Restart week 1", "/weeks/1/restart", {"client_message_id": name}
        else:
            words = SAID[number % len(SAID)]
            path, body = "/answer", {"text": words, "client_message_id": name}
        while True:
            answer = self.timed("POST", self.path + path, json=body)
            if answer.status_code == 200:
                break
            assert answer.status_code in (409, 503), answer.text
            assert answer.json()["code"] in ("turn_in_progress", "service_unavailable"), answer.text
            assert int(answer.headers["Retry-After"]) > 0
            self.repeated += 1
            time.sleep(0.2)
        assert answer.json()["version"] == len(self.acknowledged) + 2, "the session never goes back"
        self.acknowledged.append((name, words, answer.json()))

    def look(self) -> None:
        answer = self.timed("GET", self.path)
        assert answer.status_code == 200, answer.text
        assert answer.json()["version"] == len(self.acknowledged) + 1, "what was acknowledged shows"

    def timed(self, method: str, path: str, **how: Any) -> httpx.Response:
        since = time.monotonic()
        answer = self.client.request(method, path, headers=self.as_self, **how)
        self.longest_s = max(self.longest_s, time.monotonic() - since)
        return answer


@pytest.mark.parametrize("fault", ["freeze", "kill"])
def test_twenty_learners_notice_nothing_but_the_status(
    process, postgres, tokens, rows, fault, record_property
):
    over = Event()
    with process() as service, ThreadPoolExecutor(LEARNERS) as pool:
        learners = [Learner(n, headers(tokens.user()), service.client()) for n in range(LEARNERS)]
        for learner in learners:
            learner.begin()
            learner.say(0)
            learner.longest_s = 0  # the first answers wait until the embeddings are loaded
        talks = [pool.submit(learner.talk, over) for learner in learners]
        time.sleep(2)
        getattr(postgres, fault)()
        try:
            time.sleep(OUTAGE_S)
        finally:
            postgres.thaw() if fault == "freeze" else postgres.start()
        since = time.monotonic()
        await_status(learners, "completed", talks)
        back_s = time.monotonic() - since
        time.sleep(2)
        over.set()
        for talk in talks:
            talk.result(timeout=30)

    turns = sum(len(learner.acknowledged) for learner in learners)
    queued = sum(reply["status"] == "queued" for one in learners for _, _, reply in one.acknowledged)
    longest_s = max(learner.longest_s for learner in learners)
    figures = {
        "turns": turns,
        "queued": queued,
        "repeated": sum(learner.repeated for learner in learners),
        "longest_s": round(longest_s, 2),
        "back_s": round(back_s, 2),
    }
    log.warning("%s for %.0f s: %s", fault, OUTAGE_S, figures)
    for name, value in figures.items():
        record_property(name, value)
    assert queued > LEARNERS
    for learner in learners:
        is_stored_exactly(learner, rows)
    assert longest_s < LONGEST_S


def await_status(learners: list[Learner], status: str, talks: list[Any]) -> None:
    """Wait until everybody's newest answer has it."""
    deadline = time.monotonic() + 60
    while not all(one.acknowledged[-1][2]["status"] == status for one in learners):
        assert time.monotonic() < deadline, f"not everybody's turns are {status} again"
        for talk in talks:
            assert not talk.done(), talk.result()
        time.sleep(0.1)


def is_stored_exactly(learner: Learner, rows: Any) -> None:
    """Turns, words, state, answers, completions and facts are what this learner was told, no more."""
    own = {"id": learner.session_id}
    told = learner.acknowledged
    stored = rows(
        "SELECT sequence, client_message_id, status, queued, result, turn_id FROM turns"
        " WHERE session_id = :id ORDER BY sequence",
        **own,
    )
    assert [row[0] for row in stored] == list(range(1, len(told) + 1)), "no gap"
    assert [row[1] for row in stored] == [name for name, _, _ in told], "no other order, none twice"
    assert {row[2] for row in stored} == {"completed"}
    assert [row[3] for row in stored] == [reply["status"] == "queued" for _, _, reply in told]
    for (_, _, _, _, result, turn_id), (_, _, reply) in zip(stored, told, strict=True):
        assert {key: result[key] for key in REPLY} == {key: reply[key] for key in REPLY}
        assert reply["turn_id"] in (None, str(turn_id))

    said = "SELECT message_text FROM conversation_messages WHERE session_id = :id AND sender = 'user'"
    assert [row[0] for row in rows(f"{said} ORDER BY turn_sequence", **own)] == [
        words for _, words, _ in told
    ]
    answered = (
        "SELECT message_text FROM conversation_messages WHERE session_id = :id AND position = 1"
        " AND turn_sequence > 0 ORDER BY turn_sequence"
    )
    responses = [reply["response"] for _, _, reply in told if reply["response"]]
    assert [row[0] for row in rows(answered, **own)] == responses

    ((version,),) = rows("SELECT version FROM sessions WHERE session_id = :id", **own)
    assert version == told[-1][2]["version"] == len(told) + 1
    completed = sum(reply["question_completed"] for _, _, reply in told)
    assert rows("SELECT count(*) FROM question_completions WHERE session_id = :id", **own) == [(completed,)]

    answers = rows(
        "SELECT w.week_id, a.run, q.question_number, a.answer_text FROM user_answers a JOIN questions q"
        " USING (question_id) JOIN weeks w USING (week_id) WHERE session_id = :id ORDER BY answer_id",
        **own,
    )
    in_states: dict[Any, list[str]] = {}
    for week_id, run, data in rows(
        "SELECT week_id, run, conversation_data FROM conversation_states WHERE session_id = :id", **own
    ):
        for question in {*data.get("answers", {}), *data.get("followups", {})}:
            followup = data.get("followups", {}).get(question)
            attempts = [*data.get("answers", {}).get(question, []), *([followup] if followup else [])]
            in_states[(week_id, run, int(question))] = attempts
    in_answers: dict[Any, list[str]] = {}
    for week_id, run, number, words in answers:
        in_answers.setdefault((week_id, run, number), []).append(words)
    assert in_answers == in_states
    facts = rows(
        "SELECT event->'data'->>'turn_id' FROM outbox WHERE event->>'type' = 'program.answer_completed'"
        " AND event->'data'->>'session_id' = :id",
        **own,
    )
    assert len({fact for (fact,) in facts}) == len(facts) == len(answers), "each fact once"
