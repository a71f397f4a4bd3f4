"""The service is killed at each step of a turn: the acknowledged is there once, the rest whole or absent."""

import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any

import httpx
import pytest
from sqlalchemy import text

from chat_service.fault_points import POINTS
from cogniflow_dev.ports import free_ports

STORED_BEFORE_ANSWER = ("claimed", "answered", "completing")
FIRST = "In the meeting my plan was refused and I thought it was my fault."


@pytest.fixture
def doomed(process_environment, committing, mongo) -> Callable[[str], Any]:
    """Runs the service with one fault armed; the block must end with the service killed by it."""

    @contextmanager
    def run(fault: str) -> Iterator[httpx.Client]:
        (port,) = free_ports(1)
        process = subprocess.Popen(
            [sys.executable, "-m", "chat_service"],
            env=process_environment(HOST="127.0.0.1", PORT=str(port), CHAT_FAULT=fault),
            stdout=subprocess.DEVNULL,
        )
        try:
            with httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=20) as client:
                await_alive(client, process)
                yield client
            assert process.wait(timeout=10) == -signal.SIGKILL, f"the fault {fault} never fired"
        finally:
            process.kill()
            process.wait()

    return run


def await_alive(client: httpx.Client, process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline and process.poll() is None:
        with suppress(httpx.TransportError):
            if client.get("/health/live").status_code == 200:
                return
        time.sleep(0.1)
    raise AssertionError("the service did not come up")


@pytest.mark.parametrize("fault", POINTS)
def test_a_program_turn_survives(server, doomed, as_maja, committing, fault):
    session_id = server.post("/api/programs/practice/start", headers=as_maja).json()["id"]
    path = f"/api/programs/sessions/{session_id}"

    def say(client: httpx.Client, words: str, name: str) -> httpx.Response:
        body = {"text": words, "client_message_id": name}
        return client.post(f"{path}/answer", json=body, headers=as_maja)

    def rows(statement: str) -> list[Any]:
        with committing.transaction() as session:
            return list(session.scalars(text(statement)))

    acknowledged = say(server, FIRST, "before").json()
    before = server.get(path, headers=as_maja).json()
    with doomed(fault) as client, pytest.raises(httpx.TransportError):
        say(client, "Home", "during")

    during = server.get(path, headers=as_maja).json()
    statuses = {"claiming": ["completed"], "completed": ["completed", "completed"]}
    assert rows("SELECT status FROM turns ORDER BY sequence") == statuses.get(fault, ["completed", "running"])
    if fault != "completed":
        assert (during["version"], during["answers"]) == (before["version"], before["answers"])
        assert rows("SELECT answer_text FROM user_answers") == [FIRST]
    with committing.transaction() as session:
        session.execute(text("UPDATE turns SET lease_expires_at = now() WHERE status = 'running'"))

    assert say(server, FIRST, "before").json() == acknowledged
    again = say(server, "Home", "during")
    assert again.status_code == 200, again.text
    assert again.json()["sequence"] == 2
    assert rows("SELECT status FROM turns ORDER BY sequence") == ["completed", "completed"]
    assert rows("SELECT epoch FROM turns ORDER BY sequence")[1] == (2 if fault in STORED_BEFORE_ANSWER else 1)
    assert len(rows("SELECT answer_text FROM user_answers")) == 2
    assert len(rows("SELECT message_text FROM conversation_messages WHERE position = 0")) == 2
    assert rows("SELECT count(*) FROM outbox WHERE event->>'type' = 'program.answer_completed'") == [2]
    assert server.get(path, headers=as_maja).json()["version"] == 3


@pytest.mark.parametrize("fault", POINTS)
def test_a_tutor_turn_survives(server, doomed, question, as_maja, mongo, stored_turns, fault):
    asked = question()
    acknowledged = server.post("/api/chat/message", json=asked, headers=as_maja).json()
    conversation_id = acknowledged["conversation_id"]
    lost = question("What is sleep for?", conversation_id=conversation_id)
    with doomed(fault) as client, pytest.raises(httpx.TransportError):
        client.post("/api/chat/message", json=lost, headers=as_maja)

    during = stored_turns()[1:]
    if fault == "claiming":
        assert during == []
    elif fault == "completed":
        assert during[0]["status"] == "completed"
        assert during[0]["outbox_pending"] is True
    else:
        assert during[0]["status"] == "running"
        assert during[0]["message"] == "What is sleep for?"
        assert {"reply", "outbox"} & during[0].keys() == set()
    expired = [{"$set": {"lease_expires_at": "$created_at"}}]
    mongo.collection("ai_conversations").update_many({"status": "running"}, expired)

    assert server.post("/api/chat/message", json=asked, headers=as_maja).json() == acknowledged
    again = server.post("/api/chat/message", json=lost, headers=as_maja)
    assert (again.status_code, again.json()["sequence"]) == (200, 2)
    turns = stored_turns()
    assert [turn["status"] for turn in turns] == ["completed", "completed"]
    assert turns[1]["epoch"] == (2 if fault in STORED_BEFORE_ANSWER else 1)
    assert len({turn["outbox"]["id"] for turn in turns}) == 2


def test_a_fault_is_harmless_outside_tests(process_environment):
    armed = "from chat_service.fault_points import reach; reach('claimed')"
    values = process_environment(CHAT_FAULT="claimed", COGNIFLOW_ENV="production")
    assert subprocess.run([sys.executable, "-c", armed], env=values, check=False).returncode == 0
    values["COGNIFLOW_ENV"] = "test"
    killed = subprocess.run([sys.executable, "-c", armed], env=values, check=False)
    assert killed.returncode == -signal.SIGKILL
