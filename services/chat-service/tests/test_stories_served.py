"""Stories and the service agree: what a story plays without a database is what a client is told."""

from pathlib import Path

import pytest
from pydantic import TypeAdapter
from taking import Taking

from chat_service.programs.coach.session_state import ProgramSession
from chat_service.programs.coach.turn import ProgramReply
from chat_service.programs.stories.runner import find_cases, send_message

CONTENT = Path(__file__).parents[3] / "content"
SCENES = [
    case
    for case in find_cases([CONTENT / "stories"], CONTENT / "programs")[0]
    if (case.story.week, case.story.question) == (1, 1)
]


@pytest.fixture
def in_memory(make_client, database, mongo):
    with make_client(database, use_db_persistence="false") as client:
        yield client


@pytest.fixture
def take_part(client, as_maja):
    return taking_part(client, as_maja)


@pytest.fixture(params=["client", "in_memory"])
def take_part_anywhere(request, as_maja):
    """In PostgreSQL, and in memory alone."""
    return taking_part(request.getfixturevalue(request.param), as_maja)


def taking_part(client, as_maja):
    """Begin a program, with an account or without one."""

    def make(slug, *, anonymously=False, **body) -> Taking:
        way, who = ("start-anonymously", {}) if anonymously else ("start", as_maja)
        begun = client.post(f"/api/programs/{slug}/{way}", json=body, headers=who).json()
        if not anonymously:
            return Taking(client, as_maja, begun)
        return Taking(client, {"X-Session-Key": begun["session_key"]}, begun["session"])

    return make


@pytest.mark.parametrize("case", SCENES, ids=lambda case: case.title)
def test_the_service_answers_as_the_story_does(case, take_part_anywhere):
    program, program_session = case.start.program, case.start
    body = {"name": case.story.name_of_learner, "locale": case.story.locale or program.locale}
    taking = take_part_anywhere(program.slug, anonymously=program.anonymous, **body)
    assert taking.begun["question"]["text"] == program_session.context.text(
        program_session.context.question.question_text
    )
    for turn in case.story.turns:
        outcome = send_message(program_session, turn.say)
        told = taking.reply(turn.say)
        expected = TypeAdapter(ProgramReply).dump_python(outcome.result.reply, mode="json")
        assert {key: told[key] for key in expected} == expected
        program_session = ProgramSession(outcome.next_step.state, program)


def test_the_intake_keeps_steps_attempts_and_state(take_part, rows):
    taking = take_part("support-intake", anonymously=True)
    for words in (
        "Yes",
        "I don't know",
        "Tom",
        "skip",
        "I want to die",
        "The rent is due",
        "6",
        "sleep",
        "idk",
    ):
        taking.reply(words)
    kept = {row["step"]: (row["response"], row["attempt_count"]) for row in rows("user_responses")}
    assert kept == {
        "welcome": ("Yes", 1),
        "support_people": ("I don't know. Tom", 2),
        "strengths": (None, 0),
        "worries": ("The rent is due", 1),
        "goals": ("sleep. idk", 2),
    }
    (session,) = rows("sessions")
    assert (session["fsm_state"], session["anonymous"], session["completed"]) == ("goals", True, False)
    (detection,) = rows("risk_detections")
    assert detection["severity"] == "high"
    assert "die" not in str(detection)


def test_the_intake_ends_with_a_complete_summary(take_part, rows):
    taking = take_part("support-intake", anonymously=True)
    for words in ("Yes", "Tom", "I cook", "The rent is due", "6", "I would have a job"):
        taking.reply(words)
    assert "- Worries: The rent is due" in taking.read()["question"]["text"]
    assert taking.reply("Yes, that's right")["session_completed"] is True
    (session,) = rows("sessions")
    assert (session["fsm_state"], session["completed"]) == ("completed", True)
    (summary,) = rows("SELECT * FROM session_summaries WHERE summary_type = 'complete'")
    assert summary["summary_data"]["steps"]["support_people"]["answer"] == "Tom"
    assert taking.say("One thing more").status_code == 409


def test_nobody_needs_an_account_for_the_intake_and_everybody_for_driven(client):
    found = {one.start.program.slug: one.start.program.anonymous for one in SCENES}
    assert found == {"driven": False, "support-intake": True}
    assert client.post("/api/programs/driven/start-anonymously").status_code == 404
