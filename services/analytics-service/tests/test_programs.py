"""What chat-service tells of programs counts once, as what it is, wherever it is counted."""

import json
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest

from cogniflow_dev.paths import repository_root
from cogniflow_dev.testing.tokens import headers

SAMPLES = repository_root() / "tests" / "contracts" / "events"
OF_A_PERSON = ("program.started", "experiment.exposed", "program.answer_completed", "experiment.outcome")


@pytest.fixture
def maja(tokens):
    return tokens.user()


@pytest.fixture
def told(tokens, maja):
    """Everything that one evening with a program tells, as the samples show it."""
    now = datetime.now(UTC)
    events = [json.loads((SAMPLES / f"{kind}.json").read_text()) for kind in OF_A_PERSON]
    changes = {"actor_id": str(tokens.id_of(maja)), "occurred_at": now.isoformat()}
    return [event | changes | {"id": str(uuid4())} for event in events]


def days(client, token):
    return client.get("/api/analytics/streak", headers=headers(token)).json()["days"]


def test_an_evening_is_one_day_however_much_it_tells(client, deliver, told, stored, maja):
    for _ in range(2):
        assert deliver(*told, *told) == {"accepted": 8, "rejected": []}
    assert sorted(event["type"] for event in stored()) == sorted(OF_A_PERSON)
    assert days(client, maja) == 1
    yesterday = (datetime.now(UTC) - timedelta(days=1)).isoformat()
    deliver(*[event | {"id": str(uuid4()), "occurred_at": yesterday} for event in told])
    assert days(client, maja) == 2


def test_it_is_no_activity_of_a_course(client, deliver, told, teacher):
    deliver(*told)
    path = f"/api/analytics/courses/{teacher.course_id}/activity"
    found = client.get(path, headers=teacher.headers).json()
    assert (found["events"], found["learners"], found["by_type"]) == (0, 0, {})


def test_whoever_takes_part_without_an_account_is_nobody(client, deliver, told, stored, maja, teacher):
    nameless = [event | {"actor_id": None} for event in told]
    for event in nameless:
        event["data"] = {
            name: value for name, value in event["data"].items() if name not in ("session_id", "turn_id")
        }
    assert deliver(*nameless)["accepted"] == len(told)
    assert {event["actor_id"] for event in stored()} == {None}
    assert days(client, maja) == 0
    assert client.get("/api/presence", headers=teacher.headers).json()["online"] == 0


def test_counts_of_an_older_system_are_nobodys_activity(client, deliver, stored, maja, teacher):
    old = json.loads((SAMPLES / "legacy.analytics.json").read_text())
    assert deliver(old, old)["accepted"] == 2
    assert [event["data"] for event in stored()] == [old["data"]]
    assert days(client, maja) == 0
    assert client.get("/api/presence", headers=teacher.headers).json()["online"] == 0
