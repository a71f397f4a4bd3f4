"""Events of programs: how they count in activity, streaks and presence."""

import json
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest

from cogniflow_dev.paths import repository_root
from cogniflow_dev.testing.tokens import headers

SAMPLES = repository_root() / "tests" / "contracts" / "events"
OF_A_PERSON = ("program.started", "experiment.exposed", "program.answer_completed", "experiment.outcome")


@pytest.fixture
def learner_token(tokens):
    return tokens.user()


@pytest.fixture
def program_events(tokens, learner_token):
    """All events of one evening with a program, made from the contract samples."""
    now = datetime.now(UTC)
    events = [json.loads((SAMPLES / f"{kind}.json").read_text()) for kind in OF_A_PERSON]
    changes = {"actor_id": str(tokens.id_of(learner_token)), "occurred_at": now.isoformat()}
    return [event | changes | {"id": str(uuid4())} for event in events]


def days(client, token):
    return client.get("/api/analytics/streak", headers=headers(token)).json()["days"]


def test_all_events_of_one_evening_count_as_one_day(client, deliver, program_events, stored, learner_token):
    for _ in range(2):
        assert deliver(*program_events, *program_events) == {"accepted": 8, "rejected": []}
    assert sorted(event["type"] for event in stored()) == sorted(OF_A_PERSON)
    assert days(client, learner_token) == 1
    yesterday = (datetime.now(UTC) - timedelta(days=1)).isoformat()
    deliver(*[event | {"id": str(uuid4()), "occurred_at": yesterday} for event in program_events])
    assert days(client, learner_token) == 2


def test_program_events_are_not_activity_of_a_course(client, deliver, program_events, teacher):
    deliver(*program_events)
    path = f"/api/analytics/courses/{teacher.course_id}/activity"
    found = client.get(path, headers=teacher.headers).json()
    assert (found["events"], found["learners"], found["by_type"]) == (0, 0, {})


def test_events_of_anonymous_participants_have_no_actor(
    client, deliver, program_events, stored, learner_token, teacher
):
    nameless = [event | {"actor_id": None} for event in program_events]
    for event in nameless:
        event["data"] = {
            name: value for name, value in event["data"].items() if name not in ("session_id", "turn_id")
        }
    assert deliver(*nameless)["accepted"] == len(program_events)
    assert {event["actor_id"] for event in stored()} == {None}
    assert days(client, learner_token) == 0
    assert client.get("/api/presence", headers=teacher.headers).json()["online"] == 0


def test_counts_imported_from_an_older_system_have_no_actor(client, deliver, stored, learner_token, teacher):
    old = json.loads((SAMPLES / "legacy.analytics.json").read_text())
    assert deliver(old, old)["accepted"] == 2
    assert [event["data"] for event in stored()] == [old["data"]]
    assert days(client, learner_token) == 0
    assert client.get("/api/presence", headers=teacher.headers).json()["online"] == 0
