"""PostgreSQL is killed in the middle of a program; the conversation goes on, and all is stored once."""

import time
from collections.abc import Iterator
from uuid import uuid4

import pytest
from gateway_people import Person, eventually, register
from taking_part import WEEK_1, TakingPart, begin, begin_anonymously

from cogniflow_dev.testing.stacks import RunningStack

PATIENCE_S = 3.0
"""Nobody waits longer than 2 s for an answer; the rest is the gateway, and a busy machine."""

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("stack")]


@pytest.fixture
def noor(stack: RunningStack) -> Person:
    return register(stack.address, "noor", "Noor Aziz")


@pytest.fixture
def session(noor: Person) -> TakingPart:
    """DRIVEN, with one answer stored."""
    begun = begin(noor.http, "driven")
    assert begun.say(WEEK_1[0])["status"] == "completed"
    return begun


@pytest.fixture
def without_postgres(stack: RunningStack, noor: Person) -> Iterator[RunningStack]:
    """The stack; PostgreSQL is there again when the test ends, however it ends."""
    yield stack
    bring_back(stack, noor)


def bring_back(stack: RunningStack, somebody: Person) -> None:
    """Start PostgreSQL, and wait until users-service has noticed."""
    stack.start_postgres()
    eventually(lambda: somebody.http.get("/api/users/me").status_code, 200)


def say_while_away(session: TakingPart, *texts: str) -> None:
    for text in texts:
        since = time.monotonic()
        assert session.say(text)["status"] == "queued"
        assert time.monotonic() - since < 2 * PATIENCE_S, "it was said twice"


def stored_once(session: TakingPart) -> None:
    eventually(session.waiting, 0)
    assert session.heard() == session.said
    transcript = session.get("/transcript", format="json").raise_for_status().json()
    assert [m["text"] for m in transcript["messages"] if m["sender"] == "user"] == session.said
    turns = [message["turn_sequence"] for message in session.read()["messages"]]
    assert turns == sorted(turns)
    assert set(turns) == set(range(max(turns) + 1)), "from the welcome on, without a gap"


def test_a_conversation_goes_on_and_is_stored_once(
    without_postgres: RunningStack, noor: Person, session: TakingPart
) -> None:
    stack = without_postgres
    visitor = begin_anonymously(stack.address, "support-intake")
    visitor.say("Yes")
    forgotten = f"/api/programs/sessions/{uuid4()}/answer"
    stack.kill_postgres()
    say_while_away(session, *WEEK_1[1:5])
    during = session.read()
    assert (during["stored"], session.waiting() > 0) == (False, True)
    assert during["question"]["number"] == 5

    distress = visitor.say("I want to kill myself.")
    assert (distress["status"], next(iter(distress))) == ("queued", "resources")
    assert distress["resources"]

    words = {"text": "I want to kill myself.", "client_message_id": "one"}
    unknown = noor.http.post(forgotten, json=words)
    assert unknown.status_code == 503
    assert int(unknown.headers["Retry-After"]) > 0
    assert unknown.json()["resources"], "help is shown whatever is away"
    assert noor.http.post("/api/programs/driven/start").status_code == 503
    assert noor.http.get("/api/safety/resources").json()["resources"]

    bring_back(stack, noor)
    for taking_part in (session, visitor):
        stored_once(taking_part)
    assert session.read()["question"] == during["question"]
    assert session.say(WEEK_1[5])["status"] == "completed"
    facts = {
        "user.registered": 1,
        "user.logged_in": 1,
        "program.started": 1,
        "program.answer_completed": len(WEEK_1),
    }
    me = noor.get("/api/users/me")["id"]
    eventually(lambda: dict(stack.logged_events(me)), facts)


def test_turns_on_disk_survive_the_end_of_everything(
    stack: RunningStack, noor: Person, session: TakingPart
) -> None:
    stack.kill_postgres()
    say_while_away(session, *WEEK_1[1:3])
    killed = stack.kill()
    assert "chat-service" in killed
    assert "postgres" not in killed, "it was away already"
    stack.start()
    noor.log_in()
    stored_once(session)
    assert session.say(WEEK_1[3])["question"]["number"] == 4
