"""Weeks open one after the other, are read back, begun anew; a session pauses. Refusals first."""

import pytest
from taking import MISHAP, WAY


@pytest.mark.parametrize("number", [2, 3, 4, 9])
def test_a_week_that_was_not_begun_is_not_there(practice, number):
    """Locked, hidden, locked, unknown."""
    for answer in (practice.get(f"/weeks/{number}"), practice.restart(number)):
        assert (answer.status_code, answer.json()["code"]) == (404, "week_not_begun")


@pytest.mark.parametrize("number", ["0", "1001", "one"])
def test_a_number_that_no_week_has_is_refused(practice, number):
    assert practice.get(f"/weeks/{number}").status_code == 422


def test_a_hidden_week_stays_hidden_when_the_ones_around_it_are_done(practice):
    practice.go(7)
    assert [week["week"] for week in practice.read()["progress"]] == [1, 2, 4]
    assert practice.get("/weeks/3").status_code == 404


def test_a_later_week_waits_until_the_restarted_one_is_completed(practice):
    """What is kept in week 1 is quoted in week 2, so that nobody can be there without it."""
    practice.go(6)
    assert practice.restart(1, "back").status_code == 200
    answer = practice.restart(2, "forth")
    assert (answer.status_code, answer.json()["code"]) == (409, "week_locked")
    assert practice.read()["week"] == 1
    practice.go(5)
    assert practice.restart(2, "forth").status_code == 200


def test_a_completed_session_is_over(practice):
    practice.go(len(WAY))
    for answer in (practice.say("One more thing"), practice.restart(1)):
        assert (answer.status_code, answer.json()["code"]) == (409, "session_completed")
    assert practice.say("One more thing").status_code == 409


def test_a_paused_session_takes_no_answer(practice, rows):
    practice.reply(MISHAP, client_message_id="one")
    paused = practice.post("pause")
    assert (paused.status_code, paused.json()["paused"]) == (200, True)
    since = rows("sessions")[0]["paused_at"]
    assert practice.post("pause").json() == paused.json()
    assert rows("sessions")[0]["paused_at"] == since, "it is paused already"
    for answer in (practice.say("Home"), practice.restart(1)):
        assert (answer.status_code, answer.json()["code"]) == (409, "session_paused")
    assert len(rows("turns")) == 1
    assert practice.reply(MISHAP, client_message_id="one")["sequence"] == 1, (
        "what was answered can be asked for"
    )
    resumed = practice.post("resume").json()
    assert resumed["paused"] is False
    assert resumed["question"] == paused.json()["question"]
    assert practice.reply("Home")["question_completed"] is True


def test_weeks_open_by_completion(practice):
    replies = practice.go(5)
    assert [reply["week_completed"] for reply in replies] == [False] * 4 + [True]
    statuses = {week["week"]: week["status"] for week in practice.read()["progress"]}
    assert statuses == {1: "completed", 2: "open", 4: "locked"}
    assert replies[-1]["question"]["week"] == 2
    replies = practice.go(3, start=5)
    assert [reply["week_completed"] for reply in replies] == [False, True, True]
    assert replies[1]["question"]["week"] == 4, "week 3 is hidden"


def test_a_completed_week_can_be_read_again(practice):
    practice.go(6)
    week = practice.read("/weeks/1")
    assert (week["title"], week["is_completed"], week["run"]) == ("Noticing", True, 1)
    assert (week["video_content"], week["exercise_content"]) == (
        "A film about thoughts.",
        "Notice one thought a day.",
    )
    assert week["kept"] == {"selected_problem": "Home"}
    assert week["answers"]["1"] == [MISHAP]
    assert [one["message_text"] for one in week["messages"] if one["sender"] == "user"] == WAY[:5]
    assert {one["week"] for one in week["messages"]} == {1}
    assert practice.read("/weeks/2")["is_completed"] is False


def test_a_week_begun_anew_starts_at_its_first_question(practice):
    practice.go(2)
    reply = practice.restart(1).json()
    assert (reply["intent"], reply["response"], reply["question_completed"]) == ("restart", "", False)
    assert (reply["question"]["number"], reply["question"]["iteration"]) == (1, 1)
    session = practice.read()
    assert (session["week"], session["answers"], session["version"]) == (1, {}, 4)
    assert [(week["run"], week["questions_completed"]) for week in session["progress"]] == [
        (2, 0),
        (0, 0),
        (0, 0),
    ]
    assert session["progress"][0]["kept"] == {}


def test_a_repeated_restart_begins_once(practice):
    practice.go(1)
    first = practice.restart(1, "again")
    assert practice.restart(1, "again").json() == first.json()
    assert practice.read("/weeks/1")["run"] == 2
    other = practice.restart(2, "again")
    assert (other.status_code, other.json()["code"]) == (409, "message_id_reused")


def test_after_an_earlier_week_one_is_back_where_one_was(practice):
    *_, before = practice.go(6)
    assert before["question"]["week"] == 2
    assert practice.restart(1).json()["question"]["week"] == 1
    again = ["Nobody called and I thought they forgot me.", "3", "No", "Two"]
    replies = [practice.reply(words) for words in again]
    back = replies[-1]
    assert (back["week_completed"], back["session_completed"]) == (True, False)
    assert (back["question"]["week"], back["question"]["number"]) == (2, 2)
    assert practice.read("/weeks/2")["answers"] == {"1": [WAY[5]]}
    last = practice.reply(WAY[6])
    assert "about Health" in last["question"]["text"], "what was chosen the second time counts"
    assert practice.reply(WAY[7])["session_completed"] is True


def test_every_table_keeps_the_run_before(practice, rows):
    of_run = (
        "SELECT t.* FROM {} t JOIN questions USING (question_id) JOIN weeks USING (week_id)"
        " WHERE week_number = 1 AND run = :run ORDER BY 1"
    )
    of_week = (
        "SELECT t.* FROM {} t JOIN weeks USING (week_id) WHERE week_number = 1 AND run = :run ORDER BY 1"
    )
    kept = {
        "user_answers": of_run,
        "nova_responses": of_run,
        "question_completions": of_run,
        "conversation_states": of_week,
        "user_progress": of_week,
    }

    def read(run: int) -> dict[str, list]:
        return {table: rows(query.format(table), run=run) for table, query in kept.items()}

    practice.go(5)
    before, said = read(1), rows("conversation_messages")
    assert [len(found) for found in before.values()] == [5, 5, 4, 1, 1]
    practice.restart(1)
    for words in ("Nobody called and I thought they forgot me.", "3", "No", "Two"):
        practice.reply(words)
    assert read(1) == before
    assert [row for row in rows("conversation_messages") if row in said] == said
    again = read(2)
    assert [len(found) for found in again.values()] == [4, 4, 3, 1, 1]
    for table in ("conversation_states", "user_progress"):
        assert [found[table][0]["is_completed"] for found in (before, again)] == [True, True]
    chosen = [found["user_progress"][0]["metadata"]["selected_problem"] for found in (before, again)]
    assert chosen == ["Home", "Health"]


def test_a_week_read_again_has_all_its_runs_words_and_the_newest_answers(practice):
    practice.go(2)
    practice.restart(1)
    practice.reply("The train was late and I thought of walking.")
    week = practice.read("/weeks/1")
    assert week["answers"] == {"1": ["The train was late and I thought of walking."]}
    assert [(one["run"], one["message_text"]) for one in week["messages"] if one["sender"] == "user"] == [
        (1, WAY[0]),
        (1, WAY[1]),
        (1, "Restart week 1"),
        (2, "The train was late and I thought of walking."),
    ]
