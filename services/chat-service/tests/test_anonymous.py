"""Taking part without an account, by a key; and making it one's own later. Refusals first."""

import secrets

import pytest
from taking import Taking

from chat_service import tables
from chat_service.programs.sessions.dependencies import hourly_limit
from chat_service.programs.sessions.participant import participant_id
from cogniflow_kit.ids import new_id

START = "/api/programs/open-door/start-anonymously"


def key_of(taking: Taking) -> dict[str, str]:
    return {"X-Session-Key": taking.headers["X-Session-Key"]}


def test_a_program_may_ask_for_an_account(client, rows):
    answer = client.post("/api/programs/practice/start-anonymously")
    assert (answer.status_code, answer.json()["code"]) == (404, "not_anonymous")
    assert rows("sessions") == []


@pytest.mark.parametrize("key", ["short", "x" * 42, "x" * 44, "x" * 42 + "!", ""])
def test_a_key_that_could_be_guessed_is_refused(client, rows, key):
    assert client.post(START, headers={"X-Session-Key": key}).status_code == 422
    assert rows("sessions") == []


def test_very_many_starts_within_an_hour_are_refused(client, as_maja, rows):
    client.app.dependency_overrides[hourly_limit] = lambda: 2
    mine = {"X-Session-Key": secrets.token_urlsafe(32)}
    assert [client.post(START, headers=mine).status_code, client.post(START).status_code] == [201, 201]
    refused = client.post(START)
    assert (refused.status_code, refused.json()["code"]) == (429, "too_many_starts")
    assert int(refused.headers["Retry-After"]) > 0
    assert len(rows("sessions")) == 2
    assert client.post(START, headers=mine).status_code == 201, "what has begun goes on"
    assert client.post("/api/programs/open-door/start", headers=as_maja).status_code == 201, "accounts may"
    client.app.dependency_overrides.clear()


def test_starts_of_an_hour_ago_do_not_count(client, database, rows):
    client.app.dependency_overrides[hourly_limit] = lambda: 1
    client.post(START)
    rows("UPDATE sessions SET created_at = now() - interval '61 min' RETURNING session_id")
    assert client.post(START).status_code == 201
    client.app.dependency_overrides.clear()


@pytest.mark.parametrize(
    ("accepts", "body", "locale"),
    [
        ("de-DE,de;q=0.9,en;q=0.8", {}, "de-DE"),
        ("de-latn-ch", {}, "de-CH"),
        ("de-DE", {"locale": "en-GB"}, "en-GB"),
        ("*", {}, "en"),
        ("", {}, "en"),
        ("../../etc/passwd", {}, "en"),
    ],
)
def test_the_locale_is_asked_for_or_preferred_by_the_browser(client, accepts, body, locale):
    answer = client.post(START, json=body, headers={"Accept-Language": accepts})
    assert answer.status_code == 201, answer.text
    assert answer.json()["session"]["locale"] == locale


def test_danger_in_a_language_that_nobody_named_is_met_with_help_in_it(client, rows):
    german = {"Accept-Language": "de-DE"}
    for headers in ({}, german):
        key = {"X-Session-Key": secrets.token_urlsafe(32)}
        begun = client.post(START, headers=key | headers).json()["session"]
        reply = Taking(client, key, begun).reply("Ich möchte mich umbringen")
        assert "TelefonSeelsorge" in reply["response"]
        assert "Wenn Sie weitermachen möchten" in reply["response"]
        assert not reply["question_completed"]
    assert [row["category"] for row in rows("risk_detections")] == ["suicide", "suicide"]
    assert rows("user_answers") == []


@pytest.mark.parametrize("key", [None, "", "unknown", "x" * 43])
def test_without_the_key_it_is_not_there(client, intake, key):
    who = {} if key is None else {"X-Session-Key": key}
    found = client.get(intake.path, headers=who)
    assert found.status_code == (401 if key is None else 404) or (key == "" and found.status_code == 401)


def test_another_key_opens_nothing(client, intake):
    other = client.post(START).json()
    who = {"X-Session-Key": other["session_key"]}
    body = {"text": "Yes", "client_message_id": "one"}
    for answer in (
        client.get(intake.path, headers=who),
        client.post(f"{intake.path}/answer", json=body, headers=who),
    ):
        assert (answer.status_code, answer.json()["code"]) == (404, "session_not_found")


def test_a_token_counts_more_than_a_key(client, intake, as_maja):
    assert client.get(intake.path, headers={**key_of(intake), **as_maja}).status_code == 404
    forged = {"Authorization": "Bearer forged"}
    assert client.get(intake.path, headers={**key_of(intake), **forged}).status_code == 401


def test_a_key_lists_no_sessions_and_begins_no_account(client, intake):
    for method, path in (("get", "/api/programs/sessions"), ("post", "/api/programs/practice/start")):
        assert client.request(method, path, headers=key_of(intake)).status_code == 401


def test_anybody_may_begin_and_go_on_by_the_key(client, intake):
    assert intake.begun["anonymous"] is True
    assert intake.begun["question"]["text"] == "Hello you, shall we begin?"
    assert intake.reply("Yes")["question"]["step"] == "support_people"
    assert intake.read()["question"]["step"] == "support_people"
    assert intake.post("pause").json()["paused"] is True
    assert intake.post("resume").json()["paused"] is False
    assert intake.restart(1).status_code == 200


def test_a_key_of_ones_own_makes_the_start_repeatable(client, rows):
    mine = {"X-Session-Key": secrets.token_urlsafe(32)}
    first = client.post(START, json={"name": "Kim", "locale": "de-DE"}, headers=mine).json()
    assert first["session_key"] == mine["X-Session-Key"]
    assert (first["session"]["name"], first["session"]["locale"]) == ("Kim", "de-DE")
    again = client.post(START, headers=mine)
    assert (again.status_code, again.json()) == (201, first)
    assert len(rows("sessions")) == 1


def test_the_key_is_kept_nowhere(client, intake, rows):
    intake.reply("Yes")
    key = key_of(intake)["X-Session-Key"]
    for table in tables.metadata.sorted_tables:
        assert key not in str(rows(f"SELECT * FROM {table.name}")), table.name
    assert {row["user_id"] for row in rows("sessions")} == {participant_id(key)}
    assert participant_id(key).version == 8


@pytest.mark.parametrize("key", [None, "unknown", "x" * 43])
def test_only_who_has_the_key_can_claim(client, intake, as_maja, rows, key):
    who = as_maja | ({} if key is None else {"X-Session-Key": key})
    answer = client.post(f"{intake.path}/claim", headers=who)
    assert (answer.status_code, answer.json()["code"]) == (404, "session_not_found")
    assert client.post(f"{intake.path}/claim", headers=key_of(intake)).status_code == 401
    assert rows("sessions")[0]["anonymous"] is True


def test_nobody_claims_beside_an_open_session(client, intake, as_maja, begin, rows):
    own = begin("open-door")
    before = rows("conversation_messages")
    answer = client.post(f"{intake.path}/claim", headers=as_maja | key_of(intake))
    assert (answer.status_code, answer.json()["code"]) == (409, "already_taking_part")
    assert rows("conversation_messages") == before
    assert own.read()["completed"] is False
    assert intake.read()["anonymous"] is True


def test_who_claims_a_session_has_all_of_it(client, intake, as_maja, maja, tokens, rows):
    intake.reply("I want to kill myself.")
    for words in ("Yes", "skip", "Sleep."):
        intake.reply(words)
    intake.restart(1)
    before = intake.read()
    claimed = client.post(f"{intake.path}/claim", headers=as_maja | key_of(intake))
    assert claimed.status_code == 200
    assert claimed.json() == before | {"anonymous": False}

    anonymous, owner = str(participant_id(key_of(intake)["X-Session-Key"])), tokens.id_of(maja)
    filled = set()
    for table in tables.metadata.sorted_tables:
        found = rows(f"SELECT * FROM {table.name}")
        assert anonymous not in str(found), table.name
        if "user_id" in table.columns and found:
            assert {row["user_id"] for row in found} == {owner}, table.name
            filled.add(table.name)
    assert {
        "sessions",
        "conversation_messages",
        "risk_detections",
        "user_responses",
        "validation_logs",
    } <= filled


def test_facts_of_an_anonymous_session_name_nobody(client, intake, as_maja, maja, tokens, rows):
    intake.reply("Yes")
    client.post(f"{intake.path}/claim", headers=as_maja | key_of(intake))
    Taking(client, as_maja, intake.begun).reply("Tom")
    facts = [row["event"] for row in rows("SELECT * FROM outbox ORDER BY id")]
    about = [(fact["type"], fact["actor_id"], "session_id" in fact["data"]) for fact in facts]
    assert about == [
        ("program.started", None, False),
        ("program.answer_completed", None, False),
        ("program.answer_completed", str(tokens.id_of(maja)), True),
    ]


def test_a_claim_takes_the_experiment_along(client, intake, as_maja, maja, tokens, rows):
    version, other, experiment = rows("SELECT version_id FROM sessions")[0]["version_id"], new_id(), new_id()
    rows(
        "INSERT INTO experiments (experiment_id, program_id, label, name, created_by)"
        f" SELECT '{experiment}', program_id, 'production', 'x', '{other}' FROM sessions RETURNING label"
    )
    rows(f"UPDATE sessions SET experiment_id = '{experiment}' RETURNING session_id")
    anonymous = participant_id(key_of(intake)["X-Session-Key"])
    for person in (anonymous, other):
        rows(
            "INSERT INTO experiment_assignments (experiment_id, user_id, version_id)"
            f" VALUES ('{experiment}', '{person}', '{version}') RETURNING user_id"
        )
    client.post(f"{intake.path}/claim", headers=as_maja | key_of(intake))
    owners = {row["user_id"] for row in rows("experiment_assignments")}
    assert owners == {tokens.id_of(maja), other}


def test_a_claimed_session_goes_on_with_the_account_alone(client, intake, as_maja, as_stranger):
    intake.reply("Yes")
    for _ in range(2):
        assert client.post(f"{intake.path}/claim", headers=as_maja | key_of(intake)).status_code == 200
    late = client.post(f"{intake.path}/claim", headers=as_stranger | key_of(intake))
    assert (late.status_code, late.json()["code"]) == (404, "session_not_found")
    assert intake.get().status_code == 404
    assert intake.say("Tom").status_code == 404
    mine = Taking(client, as_maja, intake.begun)
    assert mine.reply("Tom")["question"]["step"] == "goals"
    listed = client.get("/api/programs/sessions", headers=as_maja).json()["items"]
    assert [one["id"] for one in listed] == [intake.id]


def test_after_a_claim_the_key_begins_another_session(client, intake, as_maja):
    client.post(f"{intake.path}/claim", headers=as_maja | key_of(intake))
    again = client.post(START, headers=key_of(intake))
    assert again.status_code == 201
    assert again.json()["session"]["id"] != intake.id
