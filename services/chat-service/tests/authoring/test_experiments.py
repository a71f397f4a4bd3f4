"""An experiment splits newcomers between versions: by weight, the same for the same person, on record."""

import json
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import text

from chat_service.programs.sessions.experiments import Arm, choose, version_to_start
from cogniflow_dev.paths import repository_root
from cogniflow_dev.testing.tokens import headers
from cogniflow_kit.ids import new_id

EXPERIMENTS = "/api/programs/small/experiments"
LABEL = "/api/programs/small/labels/production"
SAMPLES = repository_root() / "tests" / "contracts" / "events"
TWO_ARMS = [{"version": 1, "weight": 1}, {"version": 2, "weight": 1}]


@pytest.fixture
def versions(client, small, publish, as_admin):
    for number in (1, 2, 3):
        assert publish(small(number, questions=(1, 1))).status_code == 201
    client.put(LABEL, json={"version": 1}, headers=as_admin)


@pytest.fixture
def start(client, as_admin):
    def run(who=as_admin, **changes):
        body = {"name": "Which opening?", "label": "production", "arms": TWO_ARMS, **changes}
        return client.post(EXPERIMENTS, json=body, headers=who)

    return run


@pytest.fixture
def told(database):
    """What was recorded of a kind."""

    def find(kind):
        with database.transaction() as session:
            events = session.scalars(text("SELECT event FROM outbox ORDER BY id")).all()
        return [event for event in events if event["type"] == kind]

    return find


def test_only_admins_experiment(client, versions, start, tokens, as_author):
    for role in ("student", "researcher", "instructor"):
        as_role = headers(tokens.user(role))
        assert start(as_role).status_code == 403
        assert client.post(f"{EXPERIMENTS}/{new_id()}/stop", headers=as_role).status_code == 403
    assert client.get(EXPERIMENTS, headers=headers(tokens.user())).status_code == 403
    assert client.get(EXPERIMENTS, headers=as_author).json() == {"items": [], "next_cursor": None}


@pytest.mark.parametrize(
    ("changes", "status", "code"),
    [
        ({"arms": TWO_ARMS[:1]}, 422, "validation_failed"),
        ({"arms": [TWO_ARMS[0], TWO_ARMS[0]]}, 422, "validation_failed"),
        ({"arms": [TWO_ARMS[0], {"version": 2, "weight": 0}]}, 422, "validation_failed"),
        ({"arms": [TWO_ARMS[0], {"version": 9, "weight": 1}]}, 404, "version_not_found"),
        ({"label": "candidate"}, 404, "label_not_found"),
        ({"name": " "}, 422, "validation_failed"),
    ],
)
def test_an_experiment_that_makes_no_sense_is_refused(versions, start, changes, status, code):
    refused = start(**changes)
    assert (refused.status_code, refused.json()["code"]) == (status, code)


def test_one_runs_at_a_time(client, versions, start, as_admin):
    first = start().json()
    assert (start().status_code, start().json()["code"]) == (409, "experiment_running")
    in_use = client.delete(LABEL, headers=as_admin)
    assert (in_use.status_code, in_use.json()["code"]) == (409, "label_in_experiment")
    stopped = client.post(f"{EXPERIMENTS}/{first['id']}/stop", headers=as_admin)
    assert stopped.json()["status"] == "stopped"
    assert client.post(f"{EXPERIMENTS}/{first['id']}/stop", headers=as_admin).json() == stopped.json()
    assert client.post(f"{EXPERIMENTS}/{new_id()}/stop", headers=as_admin).status_code == 404
    assert start().status_code == 201


@given(st.uuids(), st.uuids(), st.lists(st.tuples(st.uuids(), st.integers(1, 1000)), min_size=1, unique=True))
def test_the_choice_depends_on_nothing_else(experiment_id, user_id, arms):
    chosen = choose(experiment_id, user_id, [Arm(*arm) for arm in arms])
    assert chosen in [version_id for version_id, _ in arms]
    assert choose(experiment_id, user_id, [Arm(*arm) for arm in reversed(arms)]) == chosen


def test_weights_are_kept():
    experiment_id, small_arm, large_arm = new_id(), new_id(), new_id()
    arms = [Arm(small_arm, 1), Arm(large_arm, 3)]
    found = Counter(choose(experiment_id, new_id(), arms) for _ in range(8000))
    # Five standard deviations of a binomial distribution with p = 1/4.
    assert abs(found[small_arm] - 2000) < 5 * (8000 * 0.25 * 0.75) ** 0.5


def test_newcomers_are_split_and_stay_where_they_are(client, versions, start, tokens, told, as_admin):
    experiment = start().json()
    found = Counter()
    people = [headers(tokens.user()) for _ in range(16)]
    for person in people:
        found[client.post("/api/programs/small/start", headers=person).json()["program_version"]] += 1
    again = Counter(
        client.post("/api/programs/small/start", headers=person).json()["program_version"]
        for person in people
    )
    assert again == found
    assert set(found) == {1, 2}
    (listed,) = client.get(EXPERIMENTS, headers=as_admin).json()["items"]
    counts = [[arm[name] for name in ("version", "participants", "sessions")] for arm in listed["arms"]]
    assert counts == [[1, found[1], found[1]], [2, found[2], found[2]]]
    assert [arm["completed"] for arm in listed["arms"]] == [0, 0]
    assert len(told("experiment.exposed")) == 16
    client.post(f"{EXPERIMENTS}/{experiment['id']}/stop", headers=as_admin)
    client.put(LABEL, json={"version": 3}, headers=as_admin)
    started = client.post("/api/programs/small/start", headers=headers(tokens.user())).json()
    assert started["program_version"] == 3
    assert len(told("experiment.exposed")) == 16


def test_the_same_person_is_given_the_same_version_again(database, versions, start, told):
    experiment_id = start().json()["id"]
    user_id = new_id()
    with database.transaction() as session:
        first, second = (version_to_start(session, "small", user_id) for _ in range(2))
    assert first == second
    assert str(first.experiment_id) == experiment_id
    assert len(told("experiment.exposed")) == 1


def test_an_arm_that_was_given_before_is_kept_whatever_the_hash_says(database, versions, start, told):
    start()
    user_id = new_id()
    with database.transaction() as session:
        given = version_to_start(session, "small", user_id)
        other = session.scalar(
            text("SELECT version_id FROM experiment_arms WHERE version_id <> :given"),
            {"given": given.version_id},
        )
        session.execute(
            text("UPDATE experiment_assignments SET version_id = :other WHERE user_id = :user_id"),
            {"other": other, "user_id": user_id},
        )
        assert version_to_start(session, "small", user_id) == (other, given.experiment_id)
    assert len(told("experiment.exposed")) == 1


def test_exposure_and_outcomes_are_told_as_the_samples_show(
    client, versions, start, as_maja, maja, told, tokens
):
    experiment_id = start().json()["id"]
    session = client.post("/api/programs/small/start", headers=as_maja).json()
    for number in (1, 2):
        client.post(
            f"/api/programs/sessions/{session['id']}/answer",
            json={"text": "I went for a walk with a friend.", "client_message_id": str(number)},
            headers=as_maja,
        )
    events = told("experiment.exposed") + told("experiment.outcome")
    assert [(event["data"].get("outcome"), event["data"].get("week")) for event in events] == [
        (None, None), ("week_completed", 1), ("week_completed", 2), ("session_completed", 2),
    ]  # fmt: skip
    for event in events:
        sample = json.loads((SAMPLES / f"{event['type']}.json").read_text(encoding="utf-8"))
        assert {name: type(value) for name, value in event["data"].items()} == {
            name: type(value) for name, value in sample["data"].items()
        }
        assert event["actor_id"] == str(tokens.id_of(maja))
        assert event["data"]["experiment_id"] == experiment_id
        assert event["data"]["program_version"] == session["program_version"]


def test_without_an_experiment_nothing_is_told(client, versions, as_maja, told):
    client.post("/api/programs/small/start", headers=as_maja)
    assert told("experiment.exposed") == []
