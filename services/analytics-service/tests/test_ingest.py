"""Delivery of events: authorization, validation, and storing each event once."""

import json
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

import pytest

from cogniflow_dev.testing.tokens import headers
from cogniflow_kit.events import EVENTS_SCOPE

URL = "/internal/events"


def test_events_without_token_are_refused(client, make_event, stored):
    answer = client.post(URL, json={"events": [make_event()]})
    assert answer.status_code == 401
    assert answer.headers["content-type"] == "application/problem+json"
    assert stored() == []


@pytest.mark.parametrize("role", ["student", "instructor", "researcher", "admin"])
def test_users_may_not_deliver_events(client, tokens, make_event, stored, role):
    answer = client.post(URL, json={"events": [make_event()]}, headers=headers(tokens.user(role)))
    assert answer.status_code == 401
    assert stored() == []


def test_service_without_the_scope_is_refused(client, tokens, make_event, stored):
    token = tokens.service("chat-service", "analytics-service", "lessons:read")
    answer = client.post(URL, json={"events": [make_event()]}, headers=headers(token))
    assert answer.status_code == 403
    assert stored() == []


def test_token_for_another_service_is_refused(client, tokens, make_event, stored):
    token = tokens.service("chat-service", "courses-service", EVENTS_SCOPE)
    answer = client.post(URL, json={"events": [make_event()]}, headers=headers(token))
    assert answer.status_code == 401
    assert stored() == []


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"events": []},
        {"events": None},
        {"events": {"id": 1}},
        {"events": [{}], "extra": True},
        [],
        "text",
        {"events": [{}] * 501},
    ],
)
def test_malformed_batch_is_refused(client, sender, stored, body):
    answer = client.post(URL, json=body, headers=sender)
    assert answer.status_code == 422
    assert answer.json()["code"] == "validation_failed"
    assert stored() == []


@pytest.mark.parametrize("body", [b"{", b"\xff\xfe", b'{"events": [{"id": "\x00"}]}', b"[" * 100_000])
def test_body_that_is_not_json_is_refused(client, sender, stored, body):
    answer = client.post(URL, content=body, headers={**sender, "Content-Type": "application/json"})
    assert 400 <= answer.status_code < 500
    assert answer.headers["content-type"] == "application/problem+json"
    assert stored() == []


def test_too_large_body_is_refused(client, sender, make_event, stored):
    big = make_event(data={"text": "x" * 4_000_000})
    answer = client.post(URL, json={"events": [big]}, headers=sender)
    assert answer.status_code == 413
    assert stored() == []


BAD = {
    "no object": "text",
    "nothing": None,
    "no fields": {},
    "id": {"id": "one"},
    "id a number": {"id": 1},
    "type missing": {"type": None},
    "type without a dot": {"type": "completed"},
    "type too long": {"type": "a." + "b" * 64},
    "type with an operator": {"type": "$where.x"},
    "no zone": {"occurred_at": "2026-01-01T00:00:00"},
    "no time": {"occurred_at": "yesterday"},
    "a bare number": {"occurred_at": 1767225600},
    "tomorrow": {"occurred_at": (datetime.now(UTC) + timedelta(days=1)).isoformat()},
    "long ago": {"occurred_at": "0001-01-01T00:00:00+14:00"},
    "actor": {"actor_id": "maja"},
    "data no object": {"data": []},
    "course": {"data": {"course_id": "python-101"}},
    "operator in data": {"data": {"$where": "sleep(1000)"}},
    "dot in data": {"data": {"a.b": 1}},
    "nested data": {"data": {"answer": {"text": "text that a learner wrote"}}},
    "deep data": {"data": {"a": [[[1]]]}},
    "long text": {"data": {"answer": "x" * 201}},
    "NUL": {"data": {"answer": "a\x00b"}},
    "half a character": {"data": {"answer": "\ud800"}},
    "half a character in a name": {"data": {"\ud800": 1}},
    "no number": {"data": {"score": float("nan")}},
    "endless number": {"data": {"score": float("inf")}},
    "number too big for the store": {"data": {"score": 2**63}},
}


@pytest.mark.parametrize("wrong", BAD.values(), ids=BAD.keys())
def test_invalid_event_is_rejected_without_the_others(client, sender, make_event, stored, wrong):
    good = [make_event(), make_event()]
    bad = {**make_event(), **wrong} if isinstance(wrong, dict) and wrong else wrong
    body = json.dumps({"events": [good[0], bad, good[1]]})
    answer = client.post(URL, content=body, headers={**sender, "Content-Type": "application/json"})
    assert answer.status_code == 200, answer.text
    receipt = answer.json()
    assert receipt["accepted"] == 2
    [rejection] = receipt["rejected"]
    assert rejection["index"] == 1
    assert 0 < len(rejection["reason"]) <= 300
    assert {document["_id"] for document in stored()} == {UUID(event["id"]) for event in good}


def test_rejection_contains_a_valid_event_id(deliver, make_event):
    event = make_event(data={"course_id": "python-101"})
    [rejection] = deliver(event)["rejected"]
    assert rejection["id"] == event["id"]
    assert rejection["reason"].startswith("data.course_id: ")
    [rejection] = deliver({"id": "unreadable"})["rejected"]
    assert rejection["id"] is None


def test_events_are_stored_with_typed_fields(deliver, make_event, stored):
    course_id, actor_id = uuid4(), uuid4()
    occurred_at = datetime(2026, 3, 29, 1, 30, 0, 123000, tzinfo=UTC)
    event = make_event(
        "quiz.attempted",
        actor_id=actor_id,
        occurred_at=occurred_at,
        data={"course_id": str(course_id), "score": 3, "max_score": 4.5, "passed": True, "tags": ["a"]},
    )
    assert deliver(event) == {"accepted": 1, "rejected": []}
    [document] = stored()
    stored_at = document.pop("stored_at")
    assert abs(datetime.now(UTC) - stored_at) < timedelta(minutes=1)
    assert document == {
        "_id": UUID(event["id"]),
        "type": "quiz.attempted",
        "actor_id": actor_id,
        "course_id": course_id,
        "occurred_at": occurred_at,
        "source": "courses-service",
        "data": event["data"],
    }


def test_unknown_types_and_fields_are_stored(deliver, make_event, stored):
    event = make_event("badge.awarded", data={"badge": "early bird"}, schema_version=7)
    assert deliver(event)["accepted"] == 1
    assert stored()[0]["type"] == "badge.awarded"


def test_event_without_actor_or_course_is_stored(deliver, make_event, stored):
    assert deliver(make_event("user.registered", actor_id=None))["accepted"] == 1
    [document] = stored()
    assert document["actor_id"] is None
    assert document["course_id"] is None


def test_repeated_event_is_accepted_and_stored_once(deliver, make_event, stored):
    event = make_event()
    assert deliver(event, event, make_event()) == {"accepted": 3, "rejected": []}
    assert deliver(event) == {"accepted": 1, "rejected": []}
    assert len(stored()) == 2


def test_repeated_event_id_keeps_the_first_document(deliver, make_event, stored):
    event = make_event(data={"score": 1})
    deliver(event)
    deliver({**event, "data": {"score": 2}})
    assert [document["data"] for document in stored()] == [{"score": 1}]


def test_largest_batch_is_accepted(deliver, make_event, stored):
    events = [make_event(data={f"field_{n}": "x" * 200 for n in range(30)}) for _ in range(500)]
    assert deliver(*events)["accepted"] == 500
    assert len(stored()) == 500


def test_concurrent_deliveries_of_a_batch_store_it_once(client, sender, make_event, stored):
    events = [make_event() for _ in range(100)]

    def post(shift: int) -> int:
        batch = events[shift:] + events[:shift]
        answer = client.post(URL, json={"events": batch}, headers=sender)
        assert answer.status_code == 200, answer.text
        return answer.json()["accepted"]

    with ThreadPoolExecutor(8) as pool:
        accepted = list(pool.map(post, range(0, 80, 10)))
    assert accepted == [100] * 8
    assert {document["_id"] for document in stored()} == {UUID(event["id"]) for event in events}
    assert len(stored()) == 100
