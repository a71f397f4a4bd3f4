"""Many threads at once against a real server: no gap, no double, everybody's own order kept."""

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from itertools import chain, count
from typing import Any
from uuid import uuid4

import httpx
import pytest
from sqlalchemy import text

from cogniflow_dev.testing.tokens import headers

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
    session_id = server.post("/api/programs/practice/start", headers=as_maja).json()["id"]

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
        start = lambda _: server.post("/api/programs/practice/start", headers=as_maja)  # noqa: E731
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
        words = f"Tab {name}: the meeting was long, I thought of work, and yes, 7."
        return [persist(answer, words, f"{name}-{uuid4()}") for _ in range(4)]

    with ThreadPoolExecutor(2) as pool:
        responses = [response for tab_responses in pool.map(tab, range(2)) for response in tab_responses]
    assert [response.status_code for response in responses] == [200] * 8
    assert sorted(response.json()["version"] for response in responses) == list(range(2, 10))
    with committing.transaction() as session:
        assert list(session.scalars(text("SELECT sequence FROM turns ORDER BY 1"))) == list(range(1, 9))
        said = session.scalars(
            text("SELECT message_text FROM conversation_messages WHERE position = 0 ORDER BY turn_sequence")
        ).all()
        answers = session.scalars(text("SELECT answer_text FROM user_answers ORDER BY answer_id")).all()
        version, completed = session.execute(text("SELECT version, completed FROM sessions")).one()
        completions = session.scalar(text("SELECT count(*) FROM question_completions"))
    assert said == answers
    assert (version, completed, completions) == (9, True, 7)


def test_who_restarts_and_who_answers_at_once_take_turns(server, answer, as_maja, committing):
    answer("In the meeting my plan was refused and I thought it was my fault.", "first")
    (session,) = server.get("/api/programs/sessions", headers=as_maja).json()["items"]
    path = f"/api/programs/sessions/{session['id']}"

    def restart(_: str, name: str) -> httpx.Response:
        body = {"client_message_id": name}
        return server.post(f"{path}/weeks/1/restart", json=body, headers=as_maja)

    def tab(number: int) -> list[int]:
        send = restart if number % 2 else answer
        return [persist(send, "I thought of work at home, 2", f"{number}-{n}").status_code for n in range(3)]

    with ThreadPoolExecutor(4) as pool:
        assert set(chain.from_iterable(pool.map(tab, range(4)))) == {200}
    read = server.get(path, headers=as_maja).json()
    assert (read["version"], read["progress"][0]["run"]) == (14, 7)
    with committing.transaction() as session:
        asked = "SELECT run FROM conversation_messages WHERE position <> 1 OR turn_sequence = 0"
        runs = session.scalars(text(f"{asked} ORDER BY turn_sequence, position")).all()
        states = session.scalars(text("SELECT run FROM conversation_states ORDER BY 1")).all()
        assert states == list(range(1, 8))
    assert runs == sorted(runs), "no question of an earlier run is asked after a later run began"


def test_a_session_claimed_while_it_is_answered_has_one_owner(server, committing, tokens):
    begun = server.post("/api/programs/open-door/start-anonymously").json()
    path = f"/api/programs/sessions/{begun['session']['id']}"
    key, token = {"X-Session-Key": begun["session_key"]}, tokens.user()

    def say_until_it_is_gone(tab: int) -> int:
        for number in count():
            body = {"text": "What do you mean?", "client_message_id": f"{tab}-{number}"}
            status = server.post(f"{path}/answer", json=body, headers=key).status_code
            if status not in (200, 409):
                return status
        raise AssertionError

    with ThreadPoolExecutor(3) as pool:
        tabs = [pool.submit(say_until_it_is_gone, tab) for tab in range(3)]
        time.sleep(0.3)
        assert server.post(f"{path}/claim", headers=key | headers(token)).status_code == 200
        assert [tab.result() for tab in tabs] == [404] * 3
    with committing.transaction() as session:
        for table in ("sessions", "conversation_messages", "intent_classifications"):
            owners = session.scalars(text(f"SELECT DISTINCT user_id FROM {table}")).all()
            assert owners == [tokens.id_of(token)], table
        assert session.scalar(text("SELECT count(*) FROM turns WHERE status <> 'completed'")) == 0
