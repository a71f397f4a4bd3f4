"""The routes of programs: refusals first, then beginning, answering, going on elsewhere."""

from uuid import uuid4

import pytest
from taking import MISHAP, WAY

from cogniflow_dev.testing.tokens import headers

START = "/api/programs/practice/start"
SOMEWHERE = "0199a1c3-0a00-7b11-9c22-3d44e55f6666"
SESSION = f"/api/programs/sessions/{SOMEWHERE}"


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("get", "/api/programs"),
        ("post", START),
        ("get", "/api/programs/sessions"),
        ("get", SESSION),
        ("get", f"{SESSION}/weeks/1"),
        ("post", f"{SESSION}/answer"),
        ("post", f"{SESSION}/weeks/1/restart"),
        ("post", f"{SESSION}/pause"),
        ("post", f"{SESSION}/resume"),
        ("post", f"{SESSION}/claim"),
    ],
)
def test_without_a_token_nobody_gets_in(client, method, path):
    assert client.request(method, path).status_code == 401


@pytest.mark.parametrize(
    "change",
    [
        {"text": ""},
        {"text": " \n"},
        {"text": "x" * 4001},
        {"client_message_id": ""},
        {"iteration": 2},
        {"message_type": "video"},
        {"recording_ref": "uploads/7.ogg"},
        {"message_type": "text", "recording_ref": "uploads/7.ogg"},
        {"message_type": "voice", "recording_ref": ""},
        {"message_type": "voice", "recording_ref": "with a space"},
        {"message_type": "voice", "recording_ref": "x" * 513},
    ],
)
def test_bad_answers_are_refused_and_nothing_is_stored(practice, rows, change):
    answer = practice.say(**{"words": change.pop("text", "Enough words"), **change})
    assert answer.status_code == 422
    assert (len(rows("turns")), len(rows("conversation_messages"))) == (0, 1)


def test_an_unknown_program_is_not_there(client, as_maja):
    for way, who in (("start", as_maja), ("start-anonymously", {})):
        answer = client.post(f"/api/programs/nobody-wrote-it/{way}", headers=who)
        assert (answer.status_code, answer.json()["code"]) == (404, "program_not_found")


def test_another_learners_session_is_not_there(client, practice, as_stranger, rows):
    said = {"text": "Hello there", "client_message_id": "one"}
    name = {"client_message_id": "one"}
    for method, what, body in (
        ("get", "", None),
        ("get", "/weeks/1", None),
        ("post", "/answer", said),
        ("post", "/weeks/1/restart", name),
        ("post", "/pause", None),
        ("post", "/resume", None),
    ):
        answer = client.request(method, practice.path + what, json=body, headers=as_stranger)
        assert (answer.status_code, answer.json()["code"]) == (404, "session_not_found"), what
    assert rows("turns") == []
    assert practice.read()["paused"] is False


@pytest.mark.parametrize("body", [{"name": ""}, {"name": "x" * 81}, {"nickname": "M"}, {"locale": "english"}])
def test_a_name_that_is_none_is_refused(client, as_maja, rows, body):
    assert client.post(START, json=body, headers=as_maja).status_code == 422
    assert rows("sessions") == []


@pytest.mark.parametrize(
    ("slug", "body"), [("open-door", {}), ("practice", {"name": "M"}), ("practice", {"locale": "de-DE"})]
)
def test_a_start_key_belongs_to_one_start(client, as_maja, rows, slug, body):
    keyed = {**as_maja, "Idempotency-Key": "begin"}
    assert client.post(START, headers=keyed).status_code == 201
    other = client.post(f"/api/programs/{slug}/start", json=body, headers=keyed)
    assert (other.status_code, other.json()["code"]) == (422, "idempotency_key_reused")
    assert len(rows("sessions")) == 1


def test_programs_are_listed_with_ones_own_session(client, as_maja, as_stranger):
    def listed(who):
        return {one["slug"]: one for one in client.get("/api/programs", headers=who).json()["items"]}

    before = listed(as_maja)
    assert {"driven", "support-intake", "practice", "open-door"} <= before.keys()
    practice = before["practice"]
    assert (practice["version"], practice["weeks"], practice["coach"]) == (1, 3, "Iris"), (
        "hidden weeks don't count"
    )
    assert [before[slug]["anonymous"] for slug in ("practice", "open-door")] == [False, True]
    assert practice["session_id"] is None
    session = client.post(START, headers=as_maja).json()
    assert listed(as_maja)["practice"]["session_id"] == session["id"]
    assert listed(as_maja)["driven"]["session_id"] is None
    assert listed(as_stranger)["practice"]["session_id"] is None


def test_the_list_of_programs_comes_in_pages(client, as_maja):
    found, cursor = [], None
    while True:
        query = {"limit": 1, **({"cursor": cursor} if cursor else {})}
        page = client.get("/api/programs", params=query, headers=as_maja).json()
        found += [one["slug"] for one in page["items"]]
        cursor = page["next_cursor"]
        if cursor is None:
            break
    whole = client.get("/api/programs", headers=as_maja).json()["items"]
    assert found == [one["slug"] for one in whole]


def test_starting_greets_the_learner_by_name(practice):
    begun = practice.begun
    assert (begun["name"], begun["coach"], begun["version"]) == ("Maja", "Iris", 1)
    assert begun["question"]["text"] == "Hello Maja, what happened, and what did you think?"
    assert [message["message_text"] for message in begun["messages"]] == [begun["question"]["text"]]
    assert (begun["completed"], begun["paused"], begun["stored"]) == (False, False, True)
    statuses = [(week["week"], week["status"]) for week in begun["progress"]]
    assert statuses == [(1, "open"), (2, "locked"), (4, "locked")]


def test_a_learner_chooses_how_to_be_addressed(begin, platform):
    session = begin(name="Captain", locale="en-GB").begun
    assert session["question"]["text"].startswith("Hello Captain")
    assert session["locale"] == "en-GB"
    assert "GET /api/users/me" not in platform.calls


def test_starting_again_goes_on_with_the_open_session(client, as_maja, practice, rows):
    again = client.post(START, headers=as_maja)
    assert (again.status_code, again.json()) == (200, practice.begun)
    assert len(rows("sessions")) == 1


def test_a_repeated_start_begins_once(client, as_maja, rows):
    keyed = {**as_maja, "Idempotency-Key": "begin"}
    first = client.post(START, headers=keyed)
    again = client.post(START, headers=keyed)
    assert (first.status_code, again.status_code) == (201, 201)
    assert again.json() == first.json()
    assert "Idempotency-Replayed" not in first.headers
    assert again.headers["Idempotency-Replayed"] == "true"
    assert len(rows("sessions")) == 1


def test_a_repeated_start_finds_its_session_even_when_it_is_completed(client, as_maja, begin, rows):
    keyed = {**as_maja, "Idempotency-Key": "begin"}
    session = begin(who=keyed)
    session.go(len(WAY))
    again = client.post(START, headers=keyed)
    assert (again.status_code, again.json()["id"], again.json()["completed"]) == (201, session.id, True)
    anew = client.post(START, headers=as_maja)
    assert anew.status_code == 201
    assert anew.json()["id"] != session.id


def test_sessions_are_listed_newest_first(client, as_maja, as_stranger, practice, begin):
    practice.go(len(WAY))
    second, third = begin(), begin("driven")
    third.post("pause")

    def page(**query):
        return client.get("/api/programs/sessions", params=query, headers=as_maja).json()

    listed = page()["items"]
    assert [one["id"] for one in listed] == [third.id, second.id, practice.id]
    assert [(one["program"], one["week"], one["completed"], one["paused"]) for one in listed] == [
        ("driven", 1, False, True),
        ("practice", 1, False, False),
        ("practice", 4, True, False),
    ]
    first = page(limit=2)
    rest = page(limit=2, cursor=first["next_cursor"])
    assert [one["id"] for one in first["items"] + rest["items"]] == [one["id"] for one in listed]
    assert rest["next_cursor"] is None
    assert client.get("/api/programs/sessions", headers=as_stranger).json()["items"] == []


def test_a_session_resumes_where_it_was(practice, client, as_maja):
    reply = practice.reply(MISHAP)
    session = practice.read()
    assert session["question"] == reply["question"]
    assert session["answers"] == {"1": [MISHAP]}
    said = [(message["sender"], message["message_text"]) for message in session["messages"]]
    assert said == [
        ("nova", practice.begun["question"]["text"]),
        ("user", MISHAP),
        ("nova", reply["response"]),
        ("nova", reply["question"]["text"]),
    ]
    last = session["last_turn"]
    assert (last["status"], last["turn_id"], last["sequence"]) == ("completed", reply["turn_id"], 1)
    assert client.post(START, headers=as_maja).json() == session


def test_a_repeated_answer_is_answered_once(practice, rows):
    first = practice.say(MISHAP, client_message_id="one")
    again = practice.say(MISHAP, client_message_id="one")
    assert (again.status_code, again.json()) == (200, first.json())
    for other in (
        practice.say("Something else", client_message_id="one"),
        practice.say(MISHAP, client_message_id="one", message_type="voice"),
        practice.restart(1, name="one"),
    ):
        assert (other.status_code, other.json()["code"]) == (409, "message_id_reused")
    assert [len(rows(table)) for table in ("turns", "user_answers")] == [1, 1]
    practice.go(1, start=1)
    assert practice.say(MISHAP, client_message_id="one").json() == first.json(), "later as well"


def test_two_people_may_use_the_same_message_id(practice, begin, tokens):
    other = begin(who=headers(tokens.user()))
    replies = [taking.reply(MISHAP, client_message_id="one") for taking in (practice, other)]
    assert replies[0]["turn_id"] != replies[1]["turn_id"]
    assert [reply["sequence"] for reply in replies] == [1, 1]


def test_two_learners_do_not_meet(practice, begin, tokens):
    practice.go(2)
    other = begin(who=headers(tokens.user())).begun
    assert (other["question"]["number"], other["answers"]) == (1, {})


def test_a_spoken_answer_keeps_its_recording(practice, rows):
    spoken = {"message_type": "voice", "recording_ref": f"uploads/{uuid4()}.ogg"}
    practice.reply(MISHAP, **spoken)
    user, *coach = practice.read()["messages"][1:]
    assert {key: user[key] for key in spoken} == spoken
    assert {(one["message_type"], one["recording_ref"]) for one in coach} == {("text", None)}
    practice.reply("Home", message_type="voice")
    stored = rows(
        "SELECT message_type, recording_ref FROM conversation_messages WHERE sender = 'user' ORDER BY 1, 2"
    )
    assert stored == [spoken, {"message_type": "voice", "recording_ref": None}]
