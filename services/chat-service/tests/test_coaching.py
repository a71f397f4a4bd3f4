"""What one message leads to, and that all of it is in the log."""

import pytest
from taking import MISHAP, WAY

from chat_service import tables

AT_QUESTION_3 = WAY[:2]


def last(rows, table, order):
    return rows(f"SELECT * FROM {table} ORDER BY {order} DESC LIMIT 1")[0]


def prompt_types(rows) -> list[str | None]:
    return [
        row["prompt_type"]
        for row in rows(
            "SELECT prompt_type FROM nova_responses LEFT JOIN system_prompts ON prompt_id = prompt_used_id"
            " ORDER BY response_id"
        )
    ]


def test_what_is_missing_is_asked_for_three_times_at_most(practice, rows):
    first = practice.reply("A meeting.")
    assert (first["question_completed"], first["scenario"]) == (False, None)
    assert first["missing"] == ["the situation", "the thought"]
    assert first["response"] == "What happened, Maja?"
    assert (first["question"]["number"], first["question"]["iteration"]) == (1, 2)
    second = practice.reply("It was in the afternoon.")
    assert (second["missing"], second["response"]) == (["the thought"], "And what did you think?")
    third = practice.reply("Nothing else.")
    assert (third["question_completed"], third["scenario"]) == (True, "SCENARIO_3")
    assert third["response"] == "Noted: A meeting. It was in the afternoon. Nothing else."
    assert third["question"]["number"] == 2

    answers = rows("user_answers")
    assert [(row["iteration_number"], row["is_complete"]) for row in answers] == [
        (1, False),
        (2, False),
        (3, False),
    ]
    logged = rows("validation_logs")
    assert [(row["validation_result"], row["missing_items"]) for row in logged] == [
        ("incomplete", ["the situation", "the thought"]),
        ("incomplete", ["the thought"]),
        ("incomplete", ["the thought"]),
    ]
    assert prompt_types(rows) == ["validation", "validation", "scenario_3_respond"]
    (done,) = rows("question_completions")
    assert (done["iteration_count"], done["scenario_classification"]) == (3, "SCENARIO_3")


@pytest.mark.parametrize(
    ("words", "scenario", "method", "surely"),
    [
        (MISHAP, "SCENARIO_1", "rule_based", 1.0),
        ("I thought my colleagues had let me down with that report.", "SCENARIO_2", "hybrid", None),
        ("A red bicycle stood there and I thought of Lisbon.", "SCENARIO_3", "rule_based", 0.0),
    ],
)
def test_the_log_says_by_what_an_answer_was_classified(practice, rows, words, scenario, method, surely):
    reply = practice.reply(words)
    assert reply["scenario"] == scenario
    (message,) = rows("SELECT * FROM conversation_messages JOIN system_prompts ON prompt_used_id = prompt_id")
    assert message["message_text"] == reply["response"]
    assert message["scenario_classification"] == message["scenario_name"] == scenario
    assert (message["classification_method"], message["iteration_number"]) == (method, 1)
    confidence = message["classification_confidence"]
    assert confidence == surely if surely is not None else 0.55 <= confidence < 1
    (response,) = rows("nova_responses")
    assert response["prompt_used_id"] == message["prompt_used_id"]
    assert response["scenario_classification"] == scenario


def test_the_prompt_in_the_log_is_that_of_the_version(practice, rows):
    practice.go(len(WAY))
    used = rows(
        "SELECT DISTINCT version_id FROM nova_responses JOIN system_prompts ON prompt_id = prompt_used_id"
        " JOIN questions ON questions.question_id = system_prompts.question_id JOIN weeks USING (week_id)"
    )
    assert used == [{"version_id": rows("sessions")[0]["version_id"]}]
    assert None not in prompt_types(rows)


@pytest.mark.parametrize(
    ("words", "intent", "response"),
    [
        ("What do you mean?", "clarify", "One situation of this week, and the first thought in it."),
        ("Let's take a break", "pause", "Good idea."),
        ("skip this one please", "skip", "I'd like to keep this one"),
    ],
)
def test_who_wants_something_else_loses_no_attempt(practice, rows, words, intent, response):
    practice.reply("A meeting.")
    reply = practice.reply(words)
    assert (reply["intent"], reply["skipped"], reply["question_completed"]) == (intent, False, False)
    assert reply["response"].startswith(response)
    assert (reply["question"]["number"], reply["question"]["iteration"]) == (1, 2)
    assert reply["version"] == 3, "it is a turn nevertheless"
    assert practice.read()["answers"] == {"1": ["A meeting."]}
    assert [len(rows(table)) for table in ("user_answers", "nova_responses", "validation_logs")] == [1, 1, 1]
    found = last(rows, "intent_classifications", "classification_id")
    assert (found["classified_intent"], found["fsm_state"]) == (intent, "1")
    assert found["method"] in ("rule_based", "hybrid")
    assert 0.9 <= found["confidence"] <= 1


def test_every_message_has_its_intent_but_a_restart(practice, rows):
    for words in (MISHAP, "What?", "Home", "skip", "Yes", "Two"):
        practice.reply(words)
    practice.restart(1)
    found = rows("SELECT sequence, classified_intent, fsm_state FROM intent_classifications"
                 " JOIN turns USING (turn_id) ORDER BY sequence")  # fmt: skip
    assert [tuple(row.values()) for row in found] == [
        (1, "answer", "1"),
        (2, "clarify", "2"),
        (3, "answer", "2"),
        (4, "skip", "3"),
        (5, "answer", "4"),
        (6, "answer", "4"),
    ]
    assert rows("sessions")[0]["fsm_state"] == "1"


def test_a_question_without_its_own_explanation_is_asked_once_more(practice):
    practice.go(3)
    reply = practice.reply("Can you explain?")
    assert reply["response"].endswith(reply["question"]["text"])
    practice.reply("Yes")
    assert practice.reply("Can you explain?")["response"].endswith("How sure are you, from 0 to 10?")


def test_a_skippable_question_can_be_left_out(practice, rows):
    practice.go(2)
    reply = practice.reply("skip")
    assert (reply["intent"], reply["skipped"], reply["question_completed"]) == ("skip", True, True)
    assert (reply["scenario"], reply["response"]) == ("SKIPPED", "We leave that open.")
    assert reply["question"]["number"] == 4
    assert "3" not in practice.read()["answers"]
    done = last(rows, "question_completions", "completion_id")
    assert (done["iteration_count"], done["scenario_classification"], done["metadata"]) == (
        0,
        "SKIPPED",
        {"skipped": True},
    )
    assert len(rows("user_answers")) == 2
    assert prompt_types(rows)[-1] == "skip_respond"
    assert last(rows, "outbox", "created_at, id")["event"]["data"]["question"] == 2, "a skip is no answer"


@pytest.mark.parametrize("words", ["2", "Home", "I think it is the HOME, really", "home."])
def test_a_choice_is_made_by_number_or_by_words(practice, rows, words):
    practice.reply(MISHAP)
    reply = practice.reply(words)
    assert (reply["question_completed"], reply["response"]) == (True, "So it is Home.")
    assert reply["question"]["number"] == 3
    assert practice.read()["progress"][0]["kept"] == {"selected_problem": "Home"}
    assert rows("user_progress")[0]["metadata"] == {"selected_problem": "Home"}
    assert rows("user_answers")[-1]["answer_text"] == words


@pytest.mark.parametrize("words", ["4", "Work or home", "My friends"])
def test_what_is_no_choice_is_asked_again(practice, words):
    question = practice.reply(MISHAP)["question"]
    assert (question["choices"], question["question_type"]) == (["Work", "Home", "Health"], "multiple_choice")
    reply = practice.reply(words)
    assert (reply["question_completed"], reply["missing"]) == (False, ["one of the choices"])
    assert reply["response"].endswith("1. Work\n2. Home\n3. Health")
    assert practice.reply("Work")["response"] == "So it is Work."


def test_after_its_attempts_a_choice_is_taken_in_the_learners_words(practice):
    practice.reply(MISHAP)
    practice.reply("My friends")
    assert practice.reply("My friends, I said")["response"] == "So it is My friends. My friends, I said."


def test_a_scenario_can_jump_over_questions(practice, rows):
    practice.reply(MISHAP)
    reply = practice.reply("Health")
    assert (reply["scenario"], reply["question"]["number"]) == ("SCENARIO_1", 4)
    for words in ("Yes", "An eight"):
        reply = practice.reply(words)
    assert reply["week_completed"] is True
    assert len(rows("question_completions")) == 3
    assert practice.read()["progress"][0]["questions_completed"] == 3


def test_yes_or_no_is_asked_again_once(practice):
    practice.go(3)
    reply = practice.reply("It is raining")
    assert (reply["missing"], reply["question_completed"]) == (["yes or no"], False)
    reply = practice.reply("It is raining cats")
    assert (reply["scenario"], reply["missing"]) == ("SCENARIO_2", ["yes or no"])


def test_a_follow_up_belongs_to_its_question(practice, rows):
    practice.go(3)
    asked = practice.reply("Yes")
    assert (asked["question_completed"], asked["scenario"]) == (False, "SCENARIO_1")
    assert asked["response"] == "Good.\n\nHow sure are you, from 0 to 10?"
    closed = practice.reply("An eight")
    assert (closed["question_completed"], closed["response"]) == (True, "I keep that.")
    answers = rows("SELECT answer_text FROM user_answers JOIN questions USING (question_id)"
                   " WHERE question_number = 4 ORDER BY answer_id")  # fmt: skip
    assert [row["answer_text"] for row in answers] == ["Yes", "An eight"]
    assert prompt_types(rows)[-2:] == ["scenario_1_respond", "followup_respond"]
    assert practice.read("/weeks/1")["answers"]["4"] == ["Yes"]


def test_answers_blocks_and_choices_are_quoted_also_in_later_weeks(practice):
    replies = practice.go(8)
    assert replies[0]["response"] == "A verdict on yourself, Maja. Write it down the same evening."
    fourth = replies[2]["question"]["text"]
    assert fourth == f'About Home, and "{MISHAP}": do you want to go on with it?'
    assert replies[4]["question"]["text"] == "In week 1 you chose Home. What is your goal?"
    assert (
        replies[6]["question"]["text"]
        == "Write it down the same evening. What did you learn about Home, Maja?"
    )
    assert "{" not in str([reply["response"] for reply in replies])


def test_the_summary_lists_the_steps_or_else_what_was_kept(practice):
    *_, sixth = practice.go(6)
    assert sixth["question"]["text"] == f"So far:\n- Goals: {WAY[5]}\nWhat will you do first?"


def test_the_summary_leaves_out_what_was_skipped(practice):
    practice.go(5)
    skipped = practice.reply("skip")
    assert skipped["question"]["text"] == "So far:\n- Selected problem: Home\nWhat will you do first?"


def test_the_steps_of_an_intake_are_kept_by_name(intake, rows):
    for words in ("Yes", "skip", "Sleep", "I want to sleep longer."):
        reply = intake.reply(words)
    assert reply["session_completed"] is True
    assert reply["response"] == "Thank you, you."
    told = {row["step"]: (row["response"], row["attempt_count"]) for row in rows("user_responses")}
    assert told == {
        "welcome": ("Yes", 1),
        "support_people": (None, 0),
        "goals": ("Sleep. I want to sleep longer.", 2),
    }
    assert rows("sessions")[0]["fsm_state"] == "completed"


def test_the_state_machine_says_which_step_is_open(intake, rows):
    states = []
    for words in ("Perhaps it rains", "Yes", "Tom", "To see my sister more often."):
        states.append(rows("sessions")[0]["fsm_state"])
        intake.reply(words)
    assert states == ["welcome", "welcome", "support_people", "goals"]


def test_a_step_answered_again_is_kept_as_it_is_now(intake, rows):
    for words in ("Yes", "Tom"):
        intake.reply(words)
    intake.restart(1)
    for words in ("Yes", "skip"):
        intake.reply(words)
    told = {row["step"]: row["response"] for row in rows("user_responses")}
    assert told == {"welcome": "Yes", "support_people": None}


def test_the_end_keeps_a_summary_and_nothing_before_it_does(practice, rows):
    practice.go(7)
    assert rows("session_summaries") == []
    practice.go(1, start=7)
    (summary,) = rows("session_summaries")
    assert (summary["summary_type"], summary["session_version"]) == ("complete", 9)
    data = summary["summary_data"]
    assert [week["week"] for week in data["weeks"]] == [1, 2, 4]
    assert data["steps"]["goals"]["answer"] == WAY[5]
    session = rows("sessions")[0]
    assert (session["completed"], session["completion_time"] is not None) == (True, True)


def test_distress_pauses_the_coaching(practice, rows):
    reply = practice.reply("My boss hates me and I don't want to live anymore.")
    assert reply["resources"]
    assert reply["response"].endswith("Whenever you want to go on, simply answer the question above.")
    assert (reply["question"]["number"], reply["question"]["iteration"]) == (1, 1)
    assert rows("user_answers") == rows("question_completions") == []
    (found,) = rows("risk_detections")
    assert (found["category"], found["severity"], found["subject"]) == ("suicide", "high", "self")
    assert str(found["turn_id"]) == reply["turn_id"]
    (review,) = rows("risk_reviews")
    assert (review["detection_id"], review["status"]) == (found["detection_id"], "open")
    assert "live anymore" not in str([found, review])
    assert practice.reply(MISHAP)["question_completed"] is True
    assert len(rows("risk_detections")) == 1


def test_an_answer_with_braces_is_quoted_as_it_is(practice):
    words = "In the meeting I said {name} and thought {Answer to question 9} about it."
    assert practice.reply(words)["response"] == f"Noted: {words}"


def test_every_row_names_its_owner(practice, maja, tokens, rows):
    practice.reply("I don't want to live anymore.")
    practice.go(len(WAY))
    empty = set()
    for table in tables.metadata.sorted_tables:
        if {"user_id", "session_id"} <= set(table.columns.keys()):
            found = rows(f"SELECT user_id, session_id FROM {table.name}")
            assert all(str(row["session_id"]) == practice.id for row in found), table.name
            assert all(row["user_id"] == tokens.id_of(maja) for row in found), table.name
            if not found:
                empty.add(table.name)
    assert empty == set(), "each is filled by a whole way through the program"
