"""One learner goes on while PostgreSQL is away; what they said is stored once, in order, when it is back."""

import time
from uuid import uuid4

import pytest

from cogniflow_dev.testing.tokens import headers

SAID = [
    "In Monday's meeting my proposal was rejected in front of everybody and I thought I'm not good enough.",
    "Maybe they had no time to read it before the meeting, which has happened to others as well.",
    "It still stings a little, so perhaps a 6.",
]


@pytest.fixture
def begun(api, as_maja):
    """A session, with one answer stored."""
    session = api.post("/api/programs/driven/start", headers=as_maja).json()
    path = f"/api/programs/sessions/{session['id']}"
    assert say(api, path, SAID[0], "one", as_maja)["status"] == "completed"
    return path


def say(api, path, words, name, as_who):
    body = {"text": words, "client_message_id": name}
    since = time.monotonic()
    answer = api.post(f"{path}/answer", json=body, headers=as_who)
    assert time.monotonic() - since < 2, "nobody waits longer than two seconds"
    assert answer.status_code == 200, answer.text
    return answer.json()


def replayed(rows, path, count):
    completed = (
        "SELECT client_message_id FROM turns"
        " WHERE session_id = :id AND status = 'completed' ORDER BY sequence"
    )
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline:
        found = rows(completed, id=path.rpartition("/")[2])
        if len(found) >= count:
            return [row[0] for row in found]
        time.sleep(0.2)
    raise AssertionError("the spool was not replayed")


@pytest.mark.parametrize("fault", ["freeze", "kill"])
def test_a_session_goes_on(api, postgres, begun, as_maja, rows, fault):
    before = api.get(begun, headers=as_maja).json()
    getattr(postgres, fault)()
    try:
        second = say(api, begun, SAID[1], "two", as_maja)
        assert (second["status"], second["turn_id"], second["sequence"]) == ("queued", None, None)
        assert say(api, begun, SAID[1], "two", as_maja) == second, "repeated, it is the same answer"
        third = say(api, begun, SAID[2], "three", as_maja)
        during = api.get(begun, headers=as_maja).json()
        assert during["stored"] is False
        assert during["version"] == before["version"] + 2
        assert [m["message_text"] for m in during["messages"] if m["sender"] == "user"] == SAID[1:]
    finally:
        postgres.thaw() if fault == "freeze" else postgres.start()
    assert replayed(rows, begun, 3) == ["one", "two", "three"]
    after = api.get(begun, headers=as_maja).json()
    assert (after["stored"], after["version"]) == (True, during["version"])
    assert [m["message_text"] for m in after["messages"] if m["sender"] == "user"] == SAID
    assert after["question"] == third["question"] == during["question"]
    again = say(api, begun, SAID[1], "two", as_maja)
    assert again | {"status": "queued", "turn_id": None, "sequence": None} == second
    assert again["sequence"] == 2
    queued = rows("SELECT queued FROM turns WHERE session_id = :id ORDER BY sequence", id=after["id"])
    assert queued == [(False,), (True,), (True,)]


def test_without_a_remembered_session_nothing_is_promised(api, postgres, serve, begun, as_maja, tokens):
    postgres.freeze()
    try:
        stranger = api.get(begun, headers=headers(tokens.user()))
        assert (stranger.status_code, stranger.json()["code"]) == (404, "session_not_found")
        unknown = f"/api/programs/sessions/{uuid4()}"
        body = {"text": "I want to kill myself tonight.", "client_message_id": "x"}
        answer = api.post(f"{unknown}/answer", json=body, headers=as_maja)
        assert answer.status_code == 503
        assert int(answer.headers["Retry-After"]) > 0
        assert any("Lifeline" in program_session["name"] for program_session in answer.json()["resources"])
        assert "resources" not in api.get(unknown, headers=as_maja).json()
    finally:
        postgres.thaw()
