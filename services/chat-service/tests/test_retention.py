"""What is cleared up, what stays, and that nothing of what went is left anywhere. Refusals first."""

import json
from collections.abc import Callable
from typing import Any
from uuid import uuid4

import pytest
from sqlalchemy import text
from taking import MISHAP, WAY, Taking

from chat_service import tables
from chat_service.platform.retention import deletion
from chat_service.platform.retention.deletion import RetentionPolicy, run_deletion
from chat_service.platform.settings.dependencies import secret_cipher
from chat_service.platform.settings.reader import SettingsReader
from cogniflow_dev.testing.tokens import headers
from cogniflow_kit.ids import new_id
from cogniflow_kit.sql.database import Database

CANARY = "quince marmalade"
DANGER = "I don't want to live anymore."
POLICY = RetentionPolicy(sessions_days=30, detections_days=90, open_reviews_days=365, transcript="keep")
REMOVE = RetentionPolicy(sessions_days=30, detections_days=90, open_reviews_days=365, transcript="remove")
Age = Callable[..., None]


@pytest.fixture
def age(rows) -> Age:
    """Everything of a session happened so many days earlier than it did."""

    def make(taking: Taking, days: float) -> None:
        times = {
            "sessions": ("created_at", "last_activity", "completion_time"),
            "turns": ("created_at", "completed_at"),
            "risk_detections": ("detected_at",),
        }
        for table, columns in times.items():
            earlier = ", ".join(f"{column} = {column} - make_interval(days => :days)" for column in columns)
            rows(
                f"UPDATE {table} SET {earlier.replace('days => :days', 'secs => :seconds')}"
                f" WHERE session_id = '{taking.id}' RETURNING session_id",
                seconds=days * 86400,
            )

    return make


def everything(database: Database) -> str:
    """Every row of every table that says anything of participants, as text."""
    with database.transaction() as session:
        return "".join(
            str(session.scalar(text(f"SELECT json_agg(t)::text FROM {table.fullname} t")))
            for table in tables.metadata.tables.values()
            if table.name not in ("outbox", "idempotency_keys")
        )


@pytest.mark.parametrize("days", [0, 6.9])
def test_sessions_that_are_used_stay(intake, database, rows, age, days):
    age(intake, days)
    assert run_deletion(database, POLICY) == {}
    assert len(rows("sessions")) == 1


def test_sessions_of_accounts_and_from_older_systems_stay(intake, practice, database, rows, age):
    for taking in (intake, practice):
        age(taking, 1000)
    rows("UPDATE sessions SET origin = 'legacy' WHERE anonymous RETURNING session_id")
    assert run_deletion(database, POLICY) == {}
    assert len(rows("sessions")) == 2


def test_a_session_that_was_claimed_stays(intake, database, rows, age, as_maja):
    claimed = intake.client.post(f"{intake.path}/claim", headers=intake.headers | as_maja)
    assert claimed.status_code == 200, claimed.text
    age(intake, 1000)
    assert run_deletion(database, POLICY) == {}
    assert len(rows("sessions")) == 1


@pytest.mark.parametrize("status", ["running", "failed", "abandoned"])
def test_words_of_these_days_keep_their_session(intake, database, rows, age, status):
    """Also where the answer broke off, and what was done before is long ago."""
    intake.reply("Yes")
    age(intake, 8)
    lease = "now() + interval '20 s'" if status == "running" else "NULL"
    rows(
        f"UPDATE turns SET status = '{status}', lease_expires_at = {lease},"
        " created_at = now() - interval '1 day' RETURNING turn_id"
    )
    assert run_deletion(database, POLICY) == {}
    rows("UPDATE turns SET created_at = created_at - interval '9 days' RETURNING turn_id")
    assert run_deletion(database, POLICY) == ({} if status == "running" else {"sessions": 1})


def test_an_anonymous_session_goes_with_all_that_belongs_to_it(intake, database, rows, age, client):
    other = client.post("/api/programs/open-door/start-anonymously").json()["session"]["id"]
    intake.reply("Yes")
    intake.reply(f"My brother and {CANARY}")
    intake.reply(f"{DANGER} {CANARY}")
    participant = rows(f"SELECT user_id FROM sessions WHERE session_id = '{intake.id}'")[0]["user_id"]
    rows("UPDATE risk_reviews SET status = 'closed', outcome = 'no_action' RETURNING review_id")
    before = everything(database)
    assert CANARY in before
    assert str(participant) in before
    age(intake, 7.1)
    assert run_deletion(database, POLICY) == {"sessions": 1}
    left = everything(database)
    assert CANARY not in left
    assert str(participant) not in left
    assert intake.id not in left
    assert [str(row["session_id"]) for row in rows("sessions")] == [other]
    refused = intake.say("Is anybody there?")
    assert (refused.status_code, refused.json()["code"]) == (404, "session_not_found")
    assert run_deletion(database, POLICY) == {}


def test_the_installation_decides_where_the_program_says_nothing(intake, database, rows, age):
    rows("UPDATE program_versions SET retention = '{}' RETURNING version_id")
    age(intake, 12)
    for days, counts in ((30, {}), (13, {}), (11, {"sessions": 1})):
        policy = RetentionPolicy(
            sessions_days=days, detections_days=90, open_reviews_days=365, transcript="keep"
        )
        assert run_deletion(database, policy) == counts


def test_an_assignment_goes_with_the_last_session(intake, database, rows, age, client):
    (mine,) = rows("sessions")
    experiment = new_id()
    rows(
        "INSERT INTO experiments (experiment_id, program_id, label, name, created_by)"
        " VALUES (:id, :program, 'production', 'Which is shorter', :id) RETURNING experiment_id",
        id=experiment,
        program=mine["program_id"],
    )
    for user in (mine["user_id"], uuid4()):
        rows(
            "INSERT INTO experiment_assignments (experiment_id, user_id, version_id)"
            " VALUES (:id, :user, :version) RETURNING user_id",
            id=experiment,
            user=user,
            version=mine["version_id"],
        )
    age(intake, 8)
    run_deletion(database, POLICY)
    assert mine["user_id"] not in [row["user_id"] for row in rows("experiment_assignments")]
    assert len(rows("experiment_assignments")) == 1


@pytest.mark.parametrize(("status", "days", "gone"), [
    ("closed", 2.9, False), ("closed", 3.1, True),
    ("open", 3.1, False), ("open", 364, False), ("open", 366, True),
])  # fmt: skip
def test_detections_go_unless_somebody_has_to_look(intake, database, rows, age, status, days, gone):
    intake.reply(DANGER)
    rows("UPDATE sessions SET anonymous = false RETURNING session_id")
    if status == "closed":
        rows("UPDATE risk_reviews SET status = 'closed', outcome = 'contacted' RETURNING review_id")
    age(intake, days)
    assert run_deletion(database, POLICY) == ({"detections": 1} if gone else {})
    assert len(rows("risk_detections")) == len(rows("risk_reviews")) == (0 if gone else 1)
    assert len(rows("sessions")) == len(rows("turns")) == 1, "the conversation is another matter"


def test_detections_go_from_sessions_of_older_systems_as_well(intake, database, rows, age):
    intake.reply(DANGER)
    rows("UPDATE sessions SET origin = 'legacy' RETURNING session_id")
    rows("DELETE FROM risk_reviews RETURNING review_id")
    age(intake, 4)
    assert run_deletion(database, POLICY) == {"detections": 1}
    assert len(rows("sessions")) == 1


def test_the_installation_says_how_long_detections_stay(practice, database, rows, age):
    practice.reply(DANGER)
    rows("UPDATE risk_reviews SET status = 'closed', outcome = 'no_action' RETURNING review_id")
    age(practice, 89)
    assert run_deletion(database, POLICY) == {}
    age(practice, 2)
    assert run_deletion(database, POLICY) == {"detections": 1}


def test_an_open_review_keeps_its_session_but_not_for_ever(intake, database, rows, age):
    intake.reply(DANGER)
    age(intake, 20)
    assert run_deletion(database, POLICY) == {}
    assert len(rows("risk_reviews")) == 1
    age(intake, 346)
    assert run_deletion(database, POLICY) == {"sessions": 1}
    assert rows("risk_reviews") == []


@pytest.fixture
def completed(practice: Taking, rows) -> Taking:
    """All the way through `practice`, with a week begun twice, a canary in every kind of answer."""
    for number, words in enumerate(WAY):
        practice.reply(words if words in ("Home", "Yes") else f"{words} {CANARY}")
        if number == 0:
            assert practice.restart(1).status_code == 200
            practice.reply(f"{MISHAP} {CANARY}")
    practice.post("summary")
    assert practice.read()["completed"]
    return practice


def test_transcripts_stay_unless_they_are_to_go(completed, database, rows, age):
    age(completed, 100)
    assert run_deletion(database, POLICY) == {}
    rows(
        "UPDATE program_versions SET retention = jsonb_build_object('transcript_at_completion', 'keep')"
        " RETURNING version_id"
    )
    assert run_deletion(database, REMOVE) == {}
    assert CANARY in everything(database)


def test_a_transcript_can_be_fetched_for_an_hour_and_while_it_is_not_completed(practice, database, rows, age):
    practice.go(len(WAY) - 1)
    age(practice, 100)
    assert run_deletion(database, REMOVE) == {}
    practice.go(1, start=len(WAY) - 1)
    age(practice, 0.9 / 24)
    assert run_deletion(database, REMOVE) == {}
    age(practice, 0.2 / 24)
    assert run_deletion(database, REMOVE) == {"transcripts": 1}


def test_no_word_is_left_of_a_transcript_that_is_removed(completed, database, rows, age):
    before = everything(database)
    assert CANARY in before
    completions = rows("question_completions")
    age(completed, 1)
    assert run_deletion(database, REMOVE) == {"transcripts": 1}
    left = everything(database)
    for words in (CANARY, *(words for words in WAY if words not in ("Home", "Yes"))):
        assert words not in left
    for table in (
        "conversation_messages",
        "user_answers",
        "nova_responses",
        "user_responses",
        "session_summaries",
    ):
        assert rows(table) == []
    assert rows("question_completions") == completions
    assert {row["status"] for row in rows("turns")} == {"completed"}
    states = [row["conversation_data"] for row in rows("conversation_states")]
    kept = {"form_version", "iteration_count", "question_completed", "scenario"}
    assert all(state.keys() <= kept for state in states)
    assert run_deletion(database, REMOVE) == {}, "once"


def test_a_session_without_its_words_can_still_be_read(completed, database, age):
    said = completed.say("One word more", client_message_id="same")
    assert said.status_code == 409
    age(completed, 1)
    run_deletion(database, REMOVE)
    view = completed.read()
    assert (view["completed"], view["messages"], view["answers"], view["question"]) == (True, [], {}, None)
    assert [week["is_completed"] for week in view["progress"]] == [True, True, True]
    assert completed.read("/weeks/1")["messages"] == []
    for kind in ("markdown", "json", "pdf"):
        assert completed.get(f"/transcript?format={kind}").status_code == 200
    summary = completed.read("/summary")
    assert CANARY not in json.dumps(summary)
    assert completed.get("/summary?format=markdown").status_code == 200
    assert completed.say("And now?").json()["code"] == "session_completed"
    assert completed.restart(1, "once-more").json()["code"] == "session_completed"
    assert completed.post("pause").status_code == 200


def test_a_repeated_message_gets_no_words_back_when_they_are_gone(practice, database, rows, age):
    practice.go(len(WAY) - 1)
    last = {"client_message_id": "last-one"}
    assert practice.say(WAY[-1], **last).json() == practice.say(WAY[-1], **last).json()
    age(practice, 1)
    run_deletion(database, REMOVE)
    assert practice.say(WAY[-1], **last).status_code == 409


def test_other_sessions_keep_their_words(completed, begin, tokens, database, rows, age):
    other = begin(who=headers(tokens.user()))
    other.go(2)
    answers = rows(f"SELECT * FROM user_answers WHERE session_id = '{other.id}'")
    age(completed, 1)
    run_deletion(database, REMOVE)
    assert rows("user_answers") == answers
    assert other.read()["messages"]


def test_a_run_is_on_record_in_numbers(intake, completed, database, rows, age, client, tokens, caplog):
    age(intake, 8), age(completed, 1)
    run_deletion(database, REMOVE)
    (run,) = rows("retention_runs")
    assert run["counts"] == {"sessions": 1, "transcripts": 1}
    assert run["finished_at"] is not None
    assert intake.id not in caplog.text
    assert "retention run ended" in caplog.text
    assert CANARY not in caplog.text
    run_deletion(database, REMOVE)
    as_admin = headers(tokens.user("admin"))
    first = client.get("/api/retention/runs", headers=as_admin, params={"limit": 1}).json()
    assert [item["counts"] for item in first["items"]] == [{}]
    second = client.get(
        "/api/retention/runs", headers=as_admin, params={"cursor": first["next_cursor"]}
    ).json()
    assert [item["id"] for item in second["items"]] == [str(run["run_id"])]
    assert client.get("/api/retention/runs", headers=headers(tokens.user("instructor"))).status_code == 403
    assert client.get("/api/retention/runs").status_code == 401


def test_runs_of_more_than_a_year_ago_are_forgotten(database, rows):
    run_deletion(database, POLICY)
    rows("UPDATE retention_runs SET started_at = now() - interval '366 days' RETURNING run_id")
    run_deletion(database, POLICY)
    assert len(rows("retention_runs")) == 1


def test_nothing_is_cleared_up_by_settings_that_could_not_be_read(settings, committing, monkeypatch):
    """The default might be shorter than what the installation decided."""
    settings_reader = SettingsReader(committing, secret_cipher(settings))
    nowhere = Database("postgresql+psycopg2://chat@127.0.0.1:9/cogniflow", application="tests")
    monkeypatch.setattr(settings_reader, "_database", nowhere)
    cleared: list[Any] = []
    monkeypatch.setattr(deletion, "run_deletion", lambda *given: cleared.append(given))
    with pytest.raises(Database.outage):
        deletion.delete_expired(committing, settings_reader)
    assert cleared == []


def test_a_setting_counts_at_once(database, settings, rows):
    settings_reader = SettingsReader(database, secret_cipher(settings))
    assert RetentionPolicy.from_settings(settings_reader) == POLICY
    rows(
        "INSERT INTO system_settings (setting_id, setting_key, setting_value, setting_type, description)"
        " VALUES (gen_random_uuid(), 'retention.anonymous_days', '365', 'integer', '') RETURNING setting_id"
    )
    assert RetentionPolicy.from_settings(settings_reader).sessions_days == 365
