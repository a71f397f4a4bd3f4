"""What leaves the service is what the samples of the contract show."""

import json
from typing import Any

import pytest
from sqlalchemy import text

from cogniflow_dev.paths import repository_root
from cogniflow_kit.events import Event

SAMPLES = repository_root() / "tests" / "contracts" / "events"


def shape(event: Any) -> Any:
    """Names and kinds, without the values."""
    return {name: shape(value) for name, value in event.items()} if isinstance(event, dict) else type(event)


@pytest.fixture
def sample():
    return lambda kind: json.loads((SAMPLES / f"{kind}.json").read_text(encoding="utf-8"))


@pytest.fixture
def outbox(database):
    def events() -> dict[str, Any]:
        with database.transaction() as session:
            return {event["type"]: event for event in session.scalars(text("SELECT event FROM outbox"))}

    return events


def test_a_program_tells_that_it_was_begun_and_answered(client, as_maja, maja, outbox, sample, tokens):
    session_id = client.post("/api/programs/practice/start", headers=as_maja).json()["id"]
    body = {"text": "I was at work and thought about the whole week.", "client_message_id": "one"}
    path = f"/api/programs/sessions/{session_id}/answer"
    turn_id = client.post(path, json=body, headers=as_maja).json()["turn_id"]
    client.post(path, json=body, headers=as_maja)
    client.post("/api/programs/practice/start", headers=as_maja)
    events = outbox()
    assert set(events) == {"program.started", "program.answer_completed"}
    for kind, event in events.items():
        assert shape(event) == shape(sample(kind))
        assert event["actor_id"] == str(tokens.id_of(maja))
    assert events["program.answer_completed"]["data"] == {
        "program": "practice", "session_id": session_id, "turn_id": turn_id, "week": 1, "question": 1,
    }  # fmt: skip


def test_a_tutors_turn_tells_that_it_was_answered(
    client, question, as_maja, maja, stored_turns, sample, tokens
):
    said = client.post("/api/chat/message", json=question(), headers=as_maja).json()
    (turn,) = stored_turns()
    event = turn["outbox"]
    assert turn["outbox_pending"] is True
    travels = Event.model_validate(event).model_dump(mode="json")
    assert shape(travels) == shape(sample("tutor.turn_completed"))
    assert event["actor_id"] == tokens.id_of(maja)
    assert event["data"]["conversation_id"] == said["conversation_id"]
    assert event["data"]["citations"] == len(said["citations"])


def test_no_fact_and_no_log_holds_what_was_said(client, question, as_maja, stored_turns, outbox, capsys):
    secret = "xylophone"
    client.post("/api/chat/message", json=question(f"Is sleep good for a {secret}?"), headers=as_maja)
    session_id = client.post("/api/programs/practice/start", headers=as_maja).json()["id"]
    body = {"text": f"I was at work with my {secret}.", "client_message_id": "one"}
    client.post(f"/api/programs/sessions/{session_id}/answer", json=body, headers=as_maja)
    assert secret not in str(stored_turns()[0]["outbox"]) + str(outbox())
    printed = capsys.readouterr()
    assert secret not in printed.out + printed.err
