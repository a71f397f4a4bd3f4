"""Imports into a real database: written rows, repetition, and the report of skipped records."""

import json
from uuid import UUID, uuid4

import pytest

from cogniflow_dev.paths import repository_root
from cogniflow_dev.testing.tokens import headers

INES = "SELECT * FROM chat.sessions WHERE legacy_id = 'sess-ines'"


def counted(report: dict) -> None:
    """Check that read = imported + skipped, for each kind of record."""
    for kind, number in report["counts_in"].items():
        left = sum(entry["count"] for entry in report["left"] if entry["what"] == kind)
        assert number == report["taken_over"][kind] + left, (kind, report)
    for count in report["rows"].values():
        assert count["rows"] == count["written"] + count["updated"] + count["unchanged"]


def left(report: dict) -> dict[str, dict[str, int]]:
    found: dict[str, dict[str, int]] = {}
    for entry in report["left"]:
        found.setdefault(entry["what"], {})[entry["reason"]] = entry["count"]
    return found


def test_showing_changes_nothing(run_import, old_files, everything):
    before = everything()
    reports = run_import(old_files, apply=False)
    assert [(report["kind"], report["status"]) for report in reports] == [
        ("week_modules", "would_apply"),
        ("progress", "would_apply"),
        ("states", "would_apply"),
        ("bot", "would_apply"),
    ]
    for report in reports:
        counted(report)
    assert everything() == before


def test_what_was_shown_is_what_is_applied(run_import, old_files, everything):
    shown = run_import(old_files, apply=False)
    before = everything()
    applied = run_import(old_files)
    after = everything()
    for one, other in zip(shown, applied, strict=True):
        for name in ("counts_in", "taken_over", "left", "rows"):
            assert one[name] == other[name]
        assert (one["status"], other["status"]) == ("would_apply", "applied")
    written = dict.fromkeys(before, 0)
    for report in applied:
        counted(report)
        for table, count in report["rows"].items():
            written[table] += count["written"]
    written |= {"programs": 1, "legacy_imports": 4}
    assert {table: after[table] - before[table] for table in before} == written


def test_a_second_run_changes_nothing_and_says_so(run_import, old_files, everything):
    run_import(old_files)
    before = everything()
    reports = run_import(old_files)
    assert {report["status"] for report in reports} == {"already_applied"}
    assert all(report["applied_at"] for report in reports)
    for report in reports:
        counted(report)
        assert set(report["taken_over"].values()) <= {0}
    assert everything() == before


def test_progress(run_import, old_files, rows):
    (report,) = run_import(old_files / "user_progress.json")
    assert report["counts_in"] == {"people": 3, "completed_weeks": 4, "completed_questions": 5}
    assert left(report) == {
        "completed_weeks": {"the program has no week 12": 1},
        "completed_questions": {"the program has no week 11": 2, "week 2 has no question 99": 1},
    }
    said = [problem["message"] for problem in report["problems"] if "visitor-3" in str(problem["places"])]
    assert any("week 11, which the program doesn't have" in message for message in said)
    places = rows(
        "SELECT legacy_id, s.name, origin, anonymous, week_number, completed,"
        " current_question_number AS question"
        " FROM chat.sessions s JOIN chat.weeks w ON w.week_id = s.current_week_id"
        " JOIN chat.conversation_states c ON c.session_id = s.session_id AND c.week_id = w.week_id"
        " ORDER BY legacy_id"
    )
    assert [tuple(place.values()) for place in places] == [
        ("sess-ines", "Ines", "legacy", False, 3, False, 2),
        ("sess-tom", "Tom", "legacy", False, 1, False, 1),
        ("visitor-3", "you", "legacy", False, 2, False, 2),
    ]
    progress = rows(
        "SELECT week_number, is_completed FROM chat.user_progress p JOIN chat.weeks w USING (week_id)"
        " JOIN chat.sessions s USING (session_id) WHERE legacy_id = 'sess-ines' ORDER BY week_number"
    )
    assert [tuple(week.values()) for week in progress] == [(1, True), (2, True), (3, False)]
    assert rows(INES)[0]["last_activity"].isoformat() == "2025-04-01T08:00:00+00:00"


def test_states_and_their_rows_agree(run_import, old_files, rows):
    (report,) = run_import(old_files / "conversation_states.json")
    assert report["counts_in"] == {
        "states": 2, "answers": 4, "nova_responses": 3, "iteration_count": 2, "question_completed": 2,
        "scenario": 2, "choices": 1,
    }  # fmt: skip
    assert left(report)["states"] == {"the program has no week 9": 1}
    assert left(report)["nova_responses"] == {"nova_responses has an entry without words": 1}
    (state,) = rows(
        "SELECT conversation_data, current_question_number FROM chat.conversation_states c"
        " JOIN chat.weeks w USING (week_id) WHERE week_number = 3"
    )
    data = state["conversation_data"]
    assert state["current_question_number"] == 2
    assert data["answers"] == {
        "1": ["Something with people.", "Helping new colleagues settle in."],
        "2": ["Not sure yet"],
    }
    assert data["question_completed"] == {"1": True}
    assert data["scenario"] == {"1": "SCENARIO_1"}
    assert data["choices"]["selected_problem"] == "speaking up in meetings"
    said = rows(
        "SELECT sender, message_text FROM chat.conversation_messages ORDER BY turn_sequence, position"
    )
    assert [message["sender"] for message in said] == ["user", "nova", "user", "nova", "user"]
    answers = rows(
        "SELECT answer_text, iteration_number, is_complete FROM chat.user_answers ORDER BY created_at"
    )
    assert [tuple(answer.values()) for answer in answers] == [
        ("Something with people.", 1, False),
        ("Helping new colleagues settle in.", 2, True),
        ("Not sure yet", 1, False),
    ]
    (completion,) = rows("SELECT iteration_count, scenario_classification FROM chat.question_completions")
    assert tuple(completion.values()) == (2, "SCENARIO_1")
    (metadata,) = rows(
        "SELECT metadata FROM chat.user_progress JOIN chat.weeks USING (week_id) WHERE week_number = 3"
    )
    assert metadata["metadata"]["selected_problem"] == "speaking up in meetings"


@pytest.mark.parametrize(
    "order", [("user_progress", "conversation_states"), ("conversation_states", "user_progress")]
)
def test_progress_and_states_meet_in_one_session_in_either_order(run_import, old_files, rows, order):
    for name in order:
        run_import(old_files / f"{name}.json")
    (session,) = rows(INES)
    states = rows(
        "SELECT week_number, is_completed, current_question_number AS question, conversation_data AS data"
        " FROM chat.conversation_states JOIN chat.weeks USING (week_id) WHERE session_id = :id"
        " ORDER BY week_number",
        id=session["session_id"],
    )
    assert [(state["week_number"], state["is_completed"]) for state in states] == [
        (1, True), (2, True), (3, False),
    ]  # fmt: skip
    assert states[2]["question"] == 2
    assert states[2]["data"]["answers"]["1"] == [
        "Something with people.",
        "Helping new colleagues settle in.",
    ]
    assert (
        len(rows("SELECT 1 FROM chat.question_completions WHERE session_id = :id", id=session["session_id"]))
        == 1
    )


def test_the_bots_sessions(run_import, old_files, rows):
    (report,) = run_import(old_files / "chat_history.sql")
    counted(report)
    assert report["counts_in"]["chat_history"] == 8
    assert left(report)["chat_history"] == {"role is neither user nor bot": 1}
    assert left(report)["user_responses"] == {"the program has no such step": 1}
    assert left(report)["session_summaries"] == {"summary_data is no JSON": 1}
    said = rows(
        "SELECT turn_sequence, position, sender, message_text FROM chat.conversation_messages"
        " JOIN chat.sessions USING (session_id) WHERE legacy_id = 'bot-a' ORDER BY turn_sequence, position"
    )
    assert [tuple(message.values())[:3] for message in said] == [
        (0, 1, "nova"), (1, 0, "user"), (1, 1, "nova"), (2, 0, "user"),
    ]  # fmt: skip
    assert said[1]["message_text"] == "My aunt; she's always there."
    statuses = rows("SELECT status FROM chat.turns ORDER BY created_at")
    assert [turn["status"] for turn in statuses] == ["completed", "abandoned", "completed"]
    responses = rows("SELECT step, response FROM chat.user_responses ORDER BY created_at")
    assert [tuple(response.values()) for response in responses] == [
        ("support_people", "My aunt; she's always there."),
        ("strengths", None),
    ]
    (session,) = rows("SELECT fsm_state, completed FROM chat.sessions WHERE legacy_id = 'bot-a'")
    assert tuple(session.values()) == ("worries", False)
    (detection,) = rows("SELECT category, severity, turn_id FROM chat.risk_detections")
    assert (detection["category"], detection["severity"]) == ("suicide", "imminent") or detection["severity"]
    (turn,) = rows(
        "SELECT turn_id FROM chat.turns t JOIN chat.sessions s USING (session_id) WHERE legacy_id = 'bot-b'"
    )
    assert turn["turn_id"] == detection["turn_id"]
    assert rows("SELECT 1 FROM chat.risk_reviews") == []
    (intent,) = rows("SELECT classified_intent, method, confidence FROM chat.intent_classifications")
    assert tuple(intent.values()) == ("answer", "distilbert", 0.9)
    (event,) = rows("SELECT event FROM chat.outbox WHERE event->>'type' = 'legacy.analytics'")
    sample = repository_root() / "tests" / "contracts" / "events" / "legacy.analytics.json"
    assert event["event"] == json.loads(sample.read_text()) | {"id": event["event"]["id"]}
    months = rows(
        "SELECT DISTINCT tableoid::regclass::text AS name FROM chat.conversation_messages ORDER BY 1"
    )
    assert [month["name"].split(".")[-1] for month in months] == [
        "conversation_messages_y2025m02",
        "conversation_messages_y2025m03",
    ]


def test_no_word_of_a_detection_or_of_analytics_is_kept(run_import, old_files, rows):
    run_import(old_files / "chat_history.sql")
    for table in ("risk_detections", "outbox", "intent_classifications", "legacy_imports"):
        kept = json.dumps(
            [{key: str(value) for key, value in row.items()} for row in rows(f"SELECT * FROM chat.{table}")]
        )
        assert "end my life" not in kept
        assert "Jo" not in kept
        assert "bicycles" not in kept


def test_week_modules_become_a_program_that_nobody_begins_yet(run_import, old_files, rows):
    (report,) = run_import(old_files / "week2_main.py")
    assert report["status"] == "applied", report["problems"]
    assert report["taken_over"] == {"modules": 1, "questions": 3, "prompts": 9, "blocks": 6}
    assert left(report)["prompts"] == {
        "'temperature' is no kind of prompt here": 1,
        "its question is missing": 1,
        "SYSTEM_PROMPTS[2][model] is no constant: a call of os.environ.get": 1,
    }
    assert list(left(report)["blocks"]) == ["WEEK2_REMOTE is no constant: a call of ….read_text"]
    assert report["to_write"]
    (version,) = rows(
        "SELECT v.version, w.name, w.title FROM chat.programs p"
        " JOIN chat.program_versions v USING (program_id)"
        " JOIN chat.weeks w USING (version_id) WHERE slug = 'driven-legacy'"
    )
    assert tuple(version.values()) == (1, "Week 2", "Habits")
    labels = (
        "SELECT 1 FROM chat.program_labels JOIN chat.programs USING (program_id) WHERE slug = 'driven-legacy'"
    )
    assert rows(labels) == []
    assert report["rows"]["questions"]["written"] == 3


def test_changed_modules_become_the_next_version(run_import, old_files, rows, tmp_path):
    run_import(old_files / "week2_main.py")
    changed = tmp_path / "week2_main.py"
    changed.write_text(
        (old_files / "week2_main.py")
        .read_text()
        .replace("which habit", "what habit")
        .replace("Which", "What")
    )
    run_import(changed)
    versions = rows(
        "SELECT version FROM chat.programs JOIN chat.program_versions USING (program_id)"
        " WHERE slug = 'driven-legacy' ORDER BY 1"
    )
    assert [row["version"] for row in versions] == [1, 2]
    again = tmp_path / "again.py"
    again.write_text(changed.read_text() + "\n# a comment changes nothing\n")
    (report,) = run_import(again)
    assert report["rows"]["weeks"] == {"rows": 1, "written": 0, "updated": 0, "unchanged": 1}


def test_a_program_that_fails_its_checks_is_left_as_a_whole(run_import, tmp_path, rows):
    module = tmp_path / "week1_main.py"
    module.write_text('week_number = 1\nQUESTIONS = {1: "One?", 3: "Three, {Answer to question 2}?"}\n'
                      'SYSTEM_PROMPTS = {1: {"scenario_1_respond": "Say yes."}}\n')  # fmt: skip
    (report,) = run_import(module)
    counted(report)
    assert report["status"] == "refused"
    assert report["taken_over"] == {"modules": 0, "questions": 0, "prompts": 0}
    said = {(problem["severity"], problem["message"]) for problem in report["problems"]}
    assert ("warning", "week 1 has a gap: no question 2") in said
    assert any(severity == "error" and "question numbers are 1, 3" in message for severity, message in said)
    assert {"week": 1, "question": 3, "prompt": "scenario_1_respond"}.items() <= report["to_write"][
        -1
    ].items()
    assert rows("SELECT 1 FROM chat.programs WHERE slug = 'driven-legacy'") == []


def test_without_the_program_all_is_left(run_import, old_files, everything):
    before = everything()
    (report,) = run_import(old_files / "user_progress.json", program="nowhere")
    counted(report)
    assert report["status"] == "refused"
    assert left(report)["people"] == {"there is no program 'nowhere'": 3}
    assert everything() == before


def test_accounts_at_once_and_later(run_import, old_files, rows, tmp_path):
    ines, tom = uuid4(), uuid4()
    run_import(old_files / "conversation_states.json", accounts={"sess-ines": ines})
    assert rows(INES)[0]["user_id"] == ines
    assert {row["user_id"] for row in rows("SELECT user_id FROM chat.user_answers")} == {ines}
    run_import(old_files / "user_progress.json")
    assert rows(INES)[0]["user_id"] == ines
    before = rows("SELECT user_id FROM chat.sessions WHERE legacy_id = 'sess-tom'")[0]["user_id"]
    assert before.version == 5
    file = tmp_path / "accounts.csv"
    file.write_text(f"session_id,user_id\nsess-tom,{tom}\nsess-gone,{uuid4()}\nsess-ines,nobody\n")
    (report,) = run_import(accounts_csv=file)
    counted(report)
    assert left(report) == {
        "accounts": {
            "no session of that name was imported": 1,
            "it needs a session_id, and a user_id that is a UUID": 1,
        }
    }
    assert report["rows"]["sessions"] == {"rows": 1, "written": 0, "updated": 1, "unchanged": 0}
    for table in ("sessions", "user_progress", "conversation_states"):
        assert rows(f"SELECT 1 FROM chat.{table} WHERE user_id = :tom", tom=tom)
        assert not rows(f"SELECT 1 FROM chat.{table} WHERE user_id = :before", before=before)
    (again,) = run_import(accounts_csv=file)
    assert again["rows"]["sessions"]["unchanged"] == 1


def test_two_sessions_of_one_account(run_import, old_files, rows):
    account = uuid4()
    run_import(old_files / "user_progress.json", accounts={"sess-ines": account, "sess-tom": account})
    owners = {
        row["legacy_id"]: row["user_id"] for row in rows("SELECT legacy_id, user_id FROM chat.sessions")
    }
    assert list(owners.values()).count(account) == 1


def test_two_systems_with_the_same_session_names(run_import, old_files, tmp_path, rows):
    run_import(old_files / "chat_history.sql")
    other = tmp_path / "other.sql"
    other.write_text(
        (old_files / "chat_history.sql").read_text().replace("Fixing bicycles.", "Baking bread.")
    )
    (report,) = run_import(other)
    counted(report)
    reason = "another session has the same id; use --namespace to distinguish two systems"
    assert left(report)["chat_history"][reason] == 4
    (report,) = run_import(other, namespace="south")
    assert report["taken_over"]["chat_history"] == 7
    names = rows("SELECT legacy_id FROM chat.sessions ORDER BY 1")
    assert [row["legacy_id"] for row in names] == ["bot-a", "bot-b", "south:bot-a", "south:bot-b"]


def test_a_later_copy_adds_what_is_new(run_import, old_files, tmp_path, rows):
    run_import(old_files / "chat_history.sql")
    later = tmp_path / "later.sql"
    more = "INSERT INTO chat_history VALUES(9,'bot-a','bot','Well done.','2025-03-02 00:00:00');\nCOMMIT;"
    later.write_text((old_files / "chat_history.sql").read_text().replace("COMMIT;", more))
    (report,) = run_import(later)
    counted(report)
    assert report["rows"]["conversation_messages"] == {"rows": 8, "written": 1, "updated": 0, "unchanged": 7}
    statuses = rows(
        "SELECT status FROM chat.turns JOIN chat.sessions USING (session_id)"
        " WHERE legacy_id = 'bot-a' ORDER BY sequence"
    )
    assert [turn["status"] for turn in statuses] == ["completed", "completed"]


def test_a_session_that_went_on_here_is_left_alone(run_import, old_files, rows, committing):
    from sqlalchemy import text

    run_import(old_files / "user_progress.json")
    with committing.transaction() as session:
        session.execute(text("UPDATE chat.sessions SET version = 5 WHERE legacy_id = 'sess-ines'"))
    (report,) = run_import(old_files / "conversation_states.json")
    counted(report)
    assert left(report)["answers"]["the session was continued in CogniFlow after its import"] == 3


def test_old_messages_are_checked_only_when_asked_for(run_import, old_files, rows, tmp_path):
    dump = tmp_path / "quiet.sql"
    lines = (old_files / "chat_history.sql").read_text().splitlines()
    dump.write_text("\n".join(line for line in lines if "INTO risk_detections" not in line))
    run_import(dump)
    assert rows("SELECT 1 FROM chat.risk_detections") == []
    run_import(dump, check_safety=True)
    (found,) = rows(
        "SELECT resources_shown, status FROM chat.risk_detections JOIN chat.risk_reviews USING (detection_id)"
    )
    assert tuple(found.values()) == (False, "open")


def test_ids_follow_from_the_old_keys(run_import, old_files, rows):
    run_import(old_files / "user_progress.json")
    ids = [row["session_id"] for row in rows("SELECT session_id FROM chat.sessions")]
    assert all(UUID(str(session_id)).version == 5 for session_id in ids)


def test_somebody_goes_on_where_they_were(run_import, old_files, server, tokens, rows):
    """The session continues at its old question; texts quote old answers; new turns follow the old ones."""
    maja = tokens.user()
    as_maja, account = headers(maja), tokens.id_of(maja)
    run_import(
        old_files / "conversation_states.json",
        old_files / "user_progress.json",
        accounts={"sess-ines": account},
    )
    (session,) = rows(INES)
    path = f"/api/programs/sessions/{session['session_id']}"
    found = server.get(path, headers=as_maja).json()
    assert (found["question"]["week"], found["question"]["number"]) == (3, 2)
    assert [(week["week"], week["is_completed"]) for week in found["progress"]][:3] == [
        (1, True),
        (2, True),
        (3, False),
    ]
    assert len(found["messages"]) == 5
    body = {"text": "Learning, because I get bored without it.", "client_message_id": "after-the-move"}
    answered = server.post(f"{path}/answer", json=body, headers=as_maja)
    assert answered.status_code == 200, answered.text
    assert answered.json()["sequence"] == 4
    assert "your earlier answer" not in answered.text
    for route in ("transcript", "summary"):
        assert server.get(f"{path}/{route}", headers=as_maja).status_code == 200
    (report,) = run_import(old_files / "conversation_states.json", namespace="", check_safety=True)
    assert left(report)["answers"]["the session was continued in CogniFlow after its import"] == 3


def test_a_stored_state_is_taken_over_once(run_import, tmp_path, rows):
    old = {
        "week_number": 2,
        "current_question": 2,
        "name": "Ines",
        "answers": {"1": ["To sleep longer."]},
        "nova_responses": {"1": ["Good."]},
        "iteration_count": {"1": 1},
        "question_completed": {"1": True},
    }
    path = tmp_path / "conversation_states.json"
    path.write_text(json.dumps({"sess-ines": old}), encoding="utf-8")
    for _ in range(2):
        run_import(path)
    (session,) = rows("SELECT legacy_id, name, fsm_state FROM chat.sessions")
    assert session == {"legacy_id": "sess-ines", "name": "Ines", "fsm_state": "2"}
    answers = rows("SELECT answer_text FROM chat.user_answers")
    assert answers == [{"answer_text": "To sleep longer."}]
