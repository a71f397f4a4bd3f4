"""The tutor's routes: refusals first, then a conversation."""

from collections.abc import Callable
from typing import Any
from uuid import uuid4

import pytest
from fastapi.testclient import TestClient

from cogniflow_dev.testing.tokens import TokenMint, headers

MESSAGE = "/api/chat/message"
CONVERSATIONS = "/api/chat/conversations"


@pytest.mark.parametrize(("method", "path"), [("post", MESSAGE), ("get", CONVERSATIONS)])
def test_without_a_token_nobody_gets_in(client: TestClient, method: str, path: str):
    assert client.request(method, path).status_code == 401


@pytest.mark.parametrize(
    "change",
    [
        {"message": ""},
        {"message": "   "},
        {"message": "x" * 4001},
        {"message": "a\x00b"},
        {"message": None},
        {"course_id": "1"},
        {"client_message_id": "with space"},
        {"client_message_id": "x" * 65},
        {"conversation_id": "none"},
        {"role": "system"},
    ],
)
def test_bad_bodies_are_refused_and_nothing_is_stored(client, question, as_maja, stored_turns, change):
    answer = client.post(MESSAGE, json={**question(), **change}, headers=as_maja)
    assert answer.status_code == 422
    assert answer.json()["code"] == "validation_failed"
    assert stored_turns() == []


def test_a_course_of_others_is_not_there(client, question, as_stranger, stored_turns):
    answer = client.post(MESSAGE, json=question(), headers=as_stranger)
    assert (answer.status_code, answer.json()["code"]) == (404, "not_enrolled")
    unknown = client.post(MESSAGE, json=question(course_id=uuid4()), headers=as_stranger)
    assert (unknown.status_code, unknown.json()["code"]) == (404, "not_enrolled")
    assert stored_turns() == []


def test_a_teacher_needs_no_enrollment(client, question, course, tokens: TokenMint):
    token = tokens.user("instructor", user_id=course.instructor_id)
    assert client.post(MESSAGE, json=question(), headers=headers(token)).status_code == 200


def test_an_answer_cites_what_it_says(client, question, course, as_maja):
    answer = client.post(MESSAGE, json=question("What is the forgetting curve?"), headers=as_maja)
    assert answer.status_code == 200, answer.text
    said = answer.json()
    assert said["answered"] is True
    assert said["sequence"] == 1
    assert said["resources"] == []
    assert "[1]" in said["answer"]
    cited = said["citations"][0]
    assert cited["lesson_id"] == course.lesson_id("The forgetting curve")
    assert cited["lesson_title"] == "The forgetting curve"
    for statement in said["answer"].split(" [1]")[:-1]:
        assert statement.strip() in cited["passage"].replace("\n", " ")


def test_what_the_lessons_do_not_say_is_declined(client, question, as_maja):
    said = client.post(MESSAGE, json=question("What is the capital of France?"), headers=as_maja).json()
    assert said["answered"] is False
    assert said["citations"] == []
    assert "How remembering works" in said["answer"]


def test_distress_is_met_with_help_first_and_still_answered(client, question, as_maja, stored_turns):
    message = "I want to die. What is the forgetting curve?"
    said = client.post(MESSAGE, json=question(message), headers=as_maja).json()
    assert said["resources"]
    assert said["answer"].startswith(said["resources"][0]["name"])
    assert said["answered"] is True
    assert stored_turns()[0]["risk"] == {
        "category": "suicide",
        "severity": "high",
        "subject": "self",
        "language": "en",
    }


@pytest.mark.parametrize("accepts", [None, "en-GB", "de-DE"])
def test_german_distress_is_met_with_german_help(client, question, as_maja, stored_turns, accepts):
    asking = as_maja if accepts is None else {**as_maja, "Accept-Language": accepts}
    reply = client.post(MESSAGE, json=question("Ich möchte mich umbringen."), headers=asking).json()
    assert "TelefonSeelsorge" in reply["answer"]
    assert any("de" in place["languages"] for place in reply["resources"])
    assert stored_turns()[0]["risk"]["language"] == "de"


def test_a_conversation_goes_on_in_order(client, question, as_maja):
    first = client.post(MESSAGE, json=question(), headers=as_maja).json()
    conversation_id = first["conversation_id"]
    for number in range(2, 6):
        body = question(f"What does sleep do, number {number}?", conversation_id=conversation_id)
        said = client.post(MESSAGE, json=body, headers=as_maja).json()
        assert (said["conversation_id"], said["sequence"]) == (conversation_id, number)

    pages, cursor = [], ""
    while cursor is not None:
        path = f"{CONVERSATIONS}/{conversation_id}/messages?limit=2{cursor and f'&cursor={cursor}'}"
        page = client.get(path, headers=as_maja).json()
        pages.append(page["items"])
        cursor = page["next_cursor"]
    assert [len(page) for page in pages] == [2, 2, 1]
    turns = [turn for page in pages for turn in page]
    assert [turn["sequence"] for turn in turns] == [1, 2, 3, 4, 5]
    assert turns[0]["answer"] == first["answer"]
    assert turns[0]["citations"] == first["citations"]
    assert {turn["status"] for turn in turns} == {"completed"}


def test_conversations_are_listed_newest_first(client, question, as_maja, as_stranger):
    ids = [
        client.post(MESSAGE, json=question(f"What is sleep {n}?"), headers=as_maja).json()["conversation_id"]
        for n in range(3)
    ]
    first = client.get(f"{CONVERSATIONS}?limit=2", headers=as_maja).json()
    rest = client.get(f"{CONVERSATIONS}?limit=2&cursor={first['next_cursor']}", headers=as_maja).json()
    listed = [*first["items"], *rest["items"]]
    assert [talk["id"] for talk in listed] == ids[::-1]
    assert rest["next_cursor"] is None
    assert (listed[0]["title"], listed[0]["turns"]) == ("What is sleep 2?", 1)
    assert client.get(CONVERSATIONS, headers=as_stranger).json()["items"] == []


def test_another_learners_conversation_is_not_there(
    client, question, as_maja, tokens, platform, course, stored_turns
):
    conversation_id = client.post(MESSAGE, json=question(), headers=as_maja).json()["conversation_id"]
    token = tokens.user()
    platform.enroll(token, course)
    for answer in (
        client.get(f"{CONVERSATIONS}/{conversation_id}/messages", headers=headers(token)),
        client.post(MESSAGE, json=question(conversation_id=conversation_id), headers=headers(token)),
    ):
        assert (answer.status_code, answer.json()["code"]) == (404, "conversation_not_found")
    assert len(stored_turns()) == 1


def test_a_conversation_stays_with_its_course(client, question, as_maja, maja, platform):
    conversation_id = client.post(MESSAGE, json=question(), headers=as_maja).json()["conversation_id"]
    other = platform.add_course("Other", {"One": "Something else."})
    platform.enroll(maja, other)
    body = question(conversation_id=conversation_id, course_id=other.id)
    answer = client.post(MESSAGE, json=body, headers=as_maja)
    assert (answer.status_code, answer.json()["code"]) == (409, "conversation_of_other_course")


def test_a_repeated_first_message_makes_one_conversation(client, question, as_maja, stored_turns):
    body = question()
    first = client.post(MESSAGE, json=body, headers=as_maja)
    again = client.post(MESSAGE, json=body, headers=as_maja)
    assert again.status_code == 200
    assert again.json() == first.json()
    assert len(stored_turns()) == 1


def test_a_repeated_message_needs_no_other_service(
    client, make_client, database, question, as_maja, settings
):
    body = question()
    first = client.post(MESSAGE, json=body, headers=as_maja).json()
    with make_client(database, courses_url="http://127.0.0.1:9") as lonely:
        assert lonely.post(MESSAGE, json=body, headers=as_maja).json() == first


@pytest.mark.parametrize("change", [{"message": "Something else?"}, {"conversation_id": str(uuid4())}])
def test_an_id_used_for_another_message_is_refused(
    client: TestClient, question: Callable[..., Any], as_maja, stored_turns, change
):
    body = question()
    client.post(MESSAGE, json=body, headers=as_maja)
    answer = client.post(MESSAGE, json={**body, **change}, headers=as_maja)
    assert (answer.status_code, answer.json()["code"]) == (409, "message_id_reused")
    assert len(stored_turns()) == 1


def test_two_people_may_use_the_same_message_id(client, question, as_maja, tokens, platform, course):
    token = tokens.user()
    platform.enroll(token, course)
    body = question(client_message_id="one")
    ids = {
        client.post(MESSAGE, json=body, headers=who).json()["conversation_id"]
        for who in (as_maja, headers(token))
    }
    assert len(ids) == 2
