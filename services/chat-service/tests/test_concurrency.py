"""Many threads at once against a real server: no gap, no double, everybody's own order kept."""

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from uuid import uuid4

import httpx
import pytest
from sqlalchemy import text

Send = Callable[[str, str], httpx.Response]


@pytest.fixture
def ask(server, question, as_maja, stored_turns) -> Send:
    opening = server.post("/api/chat/message", json=question(), headers=as_maja).json()

    def send(words: str, name: str) -> httpx.Response:
        body = question(words, conversation_id=opening["conversation_id"], client_message_id=name)
        return server.post("/api/chat/message", json=body, headers=as_maja)

    return send


@pytest.fixture
def answer(server, as_maja) -> Send:
    session_id = server.post("/api/programs/driven/start", headers=as_maja).json()["id"]

    def send(words: str, name: str) -> httpx.Response:
        body = {"text": words, "client_message_id": name}
        return server.post(f"/api/programs/sessions/{session_id}/answer", json=body, headers=as_maja)

    return send


def persist(send: Send, words: str, name: str) -> httpx.Response:
    """Send until it is answered, as a client does that is told to try again."""
    while (response := send(words, name)).status_code == 409:
        assert response.json()["code"] == "turn_in_progress"
        assert response.headers["Retry-After"] == "1"
        time.sleep(0.05)
    return response


def twenty_at_once(send: Send) -> list[dict[str, Any]]:
    with ThreadPoolExecutor(20) as pool:
        responses = list(pool.map(lambda _: send("What is sleep for?", "same"), range(20)))
    assert {response.status_code for response in responses} <= {200, 409}
    return [response.json() for response in responses if response.status_code == 200]


def test_twenty_threads_with_one_question_make_one_turn(ask, stored_turns):
    answers = twenty_at_once(ask)
    assert answers
    assert all(one == answers[0] for one in answers)
    assert [turn["sequence"] for turn in stored_turns()] == [1, 2]


def test_twenty_threads_with_one_first_question_make_one_conversation(
    server, question, as_maja, stored_turns
):
    body = question()
    with ThreadPoolExecutor(20) as pool:
        send = lambda _: server.post("/api/chat/message", json=body, headers=as_maja)  # noqa: E731
        responses = list(pool.map(send, range(20)))
    assert {response.status_code for response in responses} <= {200, 409}
    assert len(stored_turns()) == 1


def test_twenty_threads_with_one_answer_make_one_turn(answer, committing):
    answers = twenty_at_once(answer)
    assert answers
    assert all(one == answers[0] for one in answers)
    with committing.transaction() as session:
        for table in ("turns", "user_answers", "nova_responses"):
            assert session.scalar(text(f"SELECT count(*) FROM {table}")) == 1


def test_twenty_threads_start_one_session(server, as_maja, committing):
    with ThreadPoolExecutor(20) as pool:
        start = lambda _: server.post("/api/programs/driven/start", headers=as_maja)  # noqa: E731
        responses = list(pool.map(start, range(20)))
    assert sorted(response.status_code for response in responses) == [200] * 19 + [201]
    assert len({response.json()["id"] for response in responses}) == 1


def test_tabs_that_ask_at_once_take_turns(ask, stored_turns):
    def tab(name: int) -> list[int]:
        return [persist(ask, f"What is sleep, {n}?", f"{name}-{n}").json()["sequence"] for n in range(4)]

    with ThreadPoolExecutor(4) as pool:
        tabs = list(pool.map(tab, range(4)))
    assert all(numbers == sorted(numbers) for numbers in tabs)
    turns = stored_turns()
    assert [turn["sequence"] for turn in turns] == list(range(1, 18))
    assert {turn["status"] for turn in turns} == {"completed"}


def test_tabs_that_answer_at_once_take_turns(answer, committing, server, as_maja):
    def tab(name: int) -> list[httpx.Response]:
        words = f"Tab {name}: I was at work, I thought about my plan and will notice it by Friday, 7."
        return [persist(answer, words, f"{name}-{uuid4()}") for _ in range(2)]

    with ThreadPoolExecutor(3) as pool:
        responses = [response for tab_responses in pool.map(tab, range(3)) for response in tab_responses]
    assert [response.status_code for response in responses] == [200] * 6
    with committing.transaction() as session:
        assert list(session.scalars(text("SELECT sequence FROM turns ORDER BY 1"))) == [1, 2, 3, 4, 5, 6]
        said = session.scalars(
            text("SELECT message_text FROM conversation_messages WHERE position = 0 ORDER BY turn_sequence")
        ).all()
        answers = session.scalars(text("SELECT answer_text FROM user_answers ORDER BY answer_id")).all()
        version, completed = session.execute(text("SELECT version, completed FROM sessions")).one()
        completions = session.scalar(text("SELECT count(*) FROM question_completions"))
    assert said == answers
    assert (version, completed, completions) == (7, True, 5)
