"""The routes of programmes: refusals first, then a week with NOVA."""

from uuid import uuid4

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import text

from cogniflow_dev.testing.tokens import headers

START = "/api/programs/driven/start"
SOMEWHERE = "0199a1c3-0a00-7b11-9c22-3d44e55f6666"
ANSWERS = [
    "In Monday's meeting my proposal was rejected in front of everybody and I thought I'm not good enough.",
    "Maybe they had no time to read it before the meeting.",
    "6",
    "I want to lead a small project, and I will notice because my calendar has a weekly project meeting.",
    "I doubt myself, and when that happens I will ask my colleague Ana to look at it with me.",
    "I will write to my manager on Tuesday morning, confidence 8.",
]


@pytest.fixture
def started(client: TestClient, as_maja) -> dict:
    answer = client.post(START, headers=as_maja)
    assert answer.status_code == 201, answer.text
    return answer.json()


@pytest.fixture
def say(client: TestClient, as_maja, started):
    def answer(words: str, **fields):
        body = {"text": words, "client_message_id": str(uuid4()), **fields}
        return client.post(f"/api/programs/sessions/{started['id']}/answer", json=body, headers=as_maja)

    return answer


@pytest.fixture
def count(database):
    """How many rows a table has."""

    def rows(table: str) -> int:
        with database.transaction() as session:
            return session.scalar(text(f"SELECT count(*) FROM {table}"))

    return rows


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("get", "/api/programs"),
        ("post", START),
        ("get", f"/api/programs/sessions/{SOMEWHERE}"),
        ("post", f"/api/programs/sessions/{SOMEWHERE}/answer"),
    ],
)
def test_without_a_token_nobody_gets_in(client, method, path):
    assert client.request(method, path).status_code == 401


@pytest.mark.parametrize(
    "change",
    [{"text": ""}, {"text": " \n"}, {"text": "x" * 4001}, {"client_message_id": ""}, {"iteration": 2}],
)
def test_bad_answers_are_refused_and_nothing_is_stored(say, count, change):
    answer = say(**{"words": "ok", **change} if "text" not in change else {"words": change["text"]})
    assert answer.status_code == 422
    assert (count("turns"), count("conversation_messages")) == (0, 1)


def test_an_unknown_programme_is_not_there(client, as_maja):
    answer = client.post("/api/programs/nobody-wrote-it/start", headers=as_maja)
    assert (answer.status_code, answer.json()["code"]) == (404, "program_not_found")


def test_another_learners_session_is_not_there(client, started, as_stranger, count):
    path = f"/api/programs/sessions/{started['id']}"
    body = {"text": "Hello there", "client_message_id": "one"}
    for answer in (
        client.get(path, headers=as_stranger),
        client.post(f"{path}/answer", json=body, headers=as_stranger),
    ):
        assert (answer.status_code, answer.json()["code"]) == (404, "session_not_found")
    assert count("turns") == 0


def test_the_bundled_programme_is_listed(client, as_maja):
    (program,) = client.get("/api/programs", headers=as_maja).json()["items"]
    assert (program["slug"], program["version"], program["weeks"]) == ("driven", 1, 1)
    assert program["session_id"] is None


def test_starting_greets_the_learner_by_name(started):
    assert started["name"] == "Maja"
    assert started["question"]["text"].startswith("Hello Maja, I'm NOVA")
    assert [message["message_text"] for message in started["messages"]] == [started["question"]["text"]]
    assert started["completed"] is False


def test_a_learner_chooses_how_to_be_addressed(client, as_maja, platform):
    session = client.post(START, json={"name": "Captain"}, headers=as_maja).json()
    assert session["question"]["text"].startswith("Hello Captain")
    assert "GET /api/users/me" not in platform.calls


@pytest.mark.parametrize("body", [{"name": ""}, {"name": "x" * 81}, {"nickname": "M"}])
def test_a_name_that_is_none_is_refused(client, as_maja, count, body):
    assert client.post(START, json=body, headers=as_maja).status_code == 422
    assert count("sessions") == 0


def test_starting_again_goes_on_with_the_open_session(client, as_maja, started, count):
    again = client.post(START, headers=as_maja)
    assert (again.status_code, again.json()) == (200, started)
    assert count("sessions") == 1
    (program,) = client.get("/api/programs", headers=as_maja).json()["items"]
    assert program["session_id"] == started["id"]


def test_a_repeated_start_gives_the_same_answer(client, as_maja, count):
    keyed = {**as_maja, "Idempotency-Key": "begin"}
    first = client.post(START, headers=keyed)
    again = client.post(START, headers=keyed)
    assert (first.status_code, again.status_code) == (201, 201)
    assert again.json() == first.json()
    assert again.headers["Idempotency-Replayed"] == "true"
    other = client.post(START, json={"name": "M"}, headers=keyed)
    assert (other.status_code, other.json()["code"]) == (422, "idempotency_key_reused")
    assert count("sessions") == 1


def test_an_incomplete_answer_is_asked_on_three_times_at_most(say):
    first = say("A meeting.").json()
    assert first["question_completed"] is False
    assert first["missing"] == ["the situation", "the first thought"]
    assert first["response"].startswith("I'd like to see it before me, Maja.")
    assert first["question"]["iteration"] == 2
    second = say("My proposal was rejected in front of the whole team.").json()
    assert second["missing"] == ["the first thought"]
    third = say("Nothing else.").json()
    assert third["question_completed"] is True
    assert third["scenario"] == "SCENARIO_3"
    assert third["question"]["number"] == 2


def test_the_next_question_quotes_the_answer(say):
    said = say(ANSWERS[0]).json()
    assert said["scenario"] == "SCENARIO_1"
    assert ANSWERS[0] in said["question"]["text"]
    assert "{" not in said["question"]["text"] + said["response"]


def test_a_week_from_the_first_question_to_the_last(client, as_maja, say, started, count):
    replies = [say(words).json() for words in ANSWERS]
    assert [reply["question_completed"] for reply in replies] == [True, False, True, True, True, True]
    assert [reply["scenario"] for reply in replies] == [
        "SCENARIO_1", "SCENARIO_2", "SCENARIO_2", "SCENARIO_1", "SCENARIO_1", "SCENARIO_1",
    ]  # fmt: skip
    assert "from 0 (not at all) to 10" in replies[1]["response"]
    assert ANSWERS[3] in replies[3]["question"]["text"]
    last = replies[-1]
    assert (last["week_completed"], last["session_completed"], last["question"]) == (True, True, None)
    assert [reply["version"] for reply in replies] == [2, 3, 4, 5, 6, 7]

    session = client.get(f"/api/programs/sessions/{started['id']}", headers=as_maja).json()
    assert (session["completed"], session["question"], session["version"]) == (True, None, 7)
    assert session["progress"] == [
        {
            "week": 1,
            "title": "Thinking flexibly and goal setting",
            "questions": 5,
            "questions_completed": 5,
            "is_completed": True,
        }
    ]
    said = [message["message_text"] for message in session["messages"] if message["sender"] == "user"]
    assert said == ANSWERS
    assert count("user_answers") == count("nova_responses") == len(ANSWERS)
    assert count("question_completions") == 5

    after = say("One more thing")
    assert (after.status_code, after.json()["code"]) == (409, "session_completed")
    assert client.post(START, headers=as_maja).status_code == 201


def test_a_session_resumes_where_it_was(client, as_maja, say, started):
    reply = say(ANSWERS[0]).json()
    session = client.get(f"/api/programs/sessions/{started['id']}", headers=as_maja).json()
    assert session["question"] == reply["question"]
    assert session["answers"] == {"1": [ANSWERS[0]]}
    assert [message["message_text"] for message in session["messages"]] == [
        started["question"]["text"],
        ANSWERS[0],
        reply["response"],
        reply["question"]["text"],
    ]
    assert session["last_turn"]["status"] == "completed"
    assert session["last_turn"]["turn_id"] == reply["turn_id"]


def test_a_repeated_answer_is_answered_once(say, count):
    first = say(ANSWERS[0], client_message_id="one")
    again = say(ANSWERS[0], client_message_id="one")
    assert (again.status_code, again.json()) == (200, first.json())
    other = say("Something else", client_message_id="one")
    assert (other.status_code, other.json()["code"]) == (409, "message_id_reused")
    assert (count("turns"), count("user_answers")) == (1, 1)


def test_distress_pauses_the_coaching(client, as_maja, say, started, count, database):
    reply = say("My boss hates me and I don't want to live anymore.").json()
    assert reply["resources"]
    assert reply["response"].startswith(reply["resources"][0]["name"])
    assert reply["question"]["number"] == 1
    assert count("user_answers") == 0
    with database.transaction() as session:
        found = session.execute(text("SELECT * FROM risk_detections")).mappings().one()
    assert (found["category"], found["severity"]) == ("suicide", "high")
    assert found["turn_id"].hex == reply["turn_id"].replace("-", "")
    assert say(ANSWERS[0]).json()["question_completed"] is True


def test_an_answer_with_braces_is_quoted_as_it_is(say):
    words = "In the meeting I said {name} and thought {Answer to question 9} about it."
    assert words in say(words).json()["question"]["text"]


def test_two_learners_do_not_meet(client, as_maja, say, tokens):
    say(ANSWERS[0])
    other = client.post(START, headers=headers(tokens.user())).json()
    assert other["question"]["number"] == 1
    assert other["answers"] == {}
