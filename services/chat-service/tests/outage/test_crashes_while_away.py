"""The service is killed while it spools and while it replays: what it acknowledged is stored once."""

import signal
import time
from threading import Timer

import httpx
import pytest

from chat_service.fault_points import OUTAGE_POINTS
from cogniflow_dev.testing.tokens import headers

WORDS = (
    "In Monday's meeting my proposal was rejected in front of everybody and I thought I'm not good enough."
)
LATER = [
    "Maybe they had no time to read it before the meeting.",
    "It still stings a little, so perhaps a 6.",
    "What do you mean by that?",
]


def say(client, path, words, name, as_who):
    body = {"text": words, "client_message_id": name}
    answer = client.post(f"{path}/answer", json=body, headers=as_who)
    assert answer.status_code == 200, answer.text
    return answer.json()


def say_patiently(client, path, words, name, as_who):
    """Repeat it, as clients do, until the service is there and takes it."""
    body = {"text": words, "client_message_id": name}
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        answer = client.post(f"{path}/answer", json=body, headers=as_who)
        if answer.status_code == 200 and answer.json()["status"] == "completed":
            return answer.json()
        assert answer.status_code in (200, 409, 503), answer.text
        time.sleep(0.2)
    raise AssertionError("it was never taken")


def same(reply, other):
    told = ("status", "turn_id", "sequence")
    return {**reply, **dict.fromkeys(told)} == {**other, **dict.fromkeys(told)}


@pytest.mark.parametrize("fault", OUTAGE_POINTS)
@pytest.mark.parametrize("away", ["freeze", "kill"])
def test_a_spooled_turn_survives(process, postgres, tokens, rows, spool_dir, away, fault):
    as_self = headers(tokens.user())
    acknowledged = {}
    with process(CHAT_FAULT=fault) as service, service.client() as client:
        session_id = client.post("/api/programs/driven/start", headers=as_self).json()["id"]
        path = f"/api/programs/sessions/{session_id}"
        acknowledged["before"] = say(client, path, WORDS, "before", as_self)
        getattr(postgres, away)()
        try:
            if fault in ("spooling", "spooled"):
                with pytest.raises(httpx.TransportError):
                    say(client, path, LATER[0], "during-0", as_self)
                service.await_killed(fault)
            else:
                for number, words in enumerate(LATER):
                    acknowledged[f"during-{number}"] = say(client, path, words, f"during-{number}", as_self)
        finally:
            postgres.thaw() if away == "freeze" else postgres.start()
        service.await_killed(fault)
    assert list(spool_dir.glob("*.jsonl")), "the turns are still on disk"

    with process() as service, service.client() as client:
        for number, words in enumerate(LATER):
            name = f"during-{number}"
            answer = say_patiently(client, path, words, name, as_self)
            assert name not in acknowledged or same(answer, acknowledged[name])
            assert answer["sequence"] == number + 2
        assert same(say(client, path, WORDS, "before", as_self), acknowledged["before"])
        session = client.get(path, headers=as_self).json()
    assert session["version"] == 5
    said = [message["message_text"] for message in session["messages"] if message["sender"] == "user"]
    assert said == [WORDS, *LATER]
    stored = rows(
        "SELECT client_message_id, status FROM turns WHERE session_id = :id ORDER BY sequence", id=session_id
    )
    assert stored == [(name, "completed") for name in ("before", "during-0", "during-1", "during-2")]
    answers = rows("SELECT count(*) FROM user_answers WHERE session_id = :id", id=session_id)
    facts = rows(
        "SELECT count(*) FROM outbox WHERE event->>'type' = 'program.answer_completed'"
        " AND event->'data'->>'session_id' = :id",
        id=session_id,
    )
    assert answers == facts == [(3,)], "an aside is no answer"
    assert not list(spool_dir.glob("*.jsonl*")), "nothing is left or set aside"


def test_a_new_process_follows_the_old_one(process, spool_dir, tokens):
    """It waits for the spool, and is there when the old one has drained."""
    as_self = headers(tokens.user())
    with process() as old, old.client() as client:
        session_id = client.post("/api/programs/driven/start", headers=as_self).json()["id"]
        draining = Timer(5, old.process.terminate)
        draining.start()
        with process() as new, new.client() as next_step:
            assert old.process.wait(timeout=10) in (0, -signal.SIGTERM), "it ended in good order"
            path = f"/api/programs/sessions/{session_id}"
            assert say(next_step, path, WORDS, "one", as_self)["status"] == "completed"
    assert (spool_dir / "owner").exists()
