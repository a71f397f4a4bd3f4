"""Summaries of states made here: everything in them was said, kept or skipped."""

from dataclasses import replace
from datetime import UTC, datetime
from uuid import UUID

import pytest

from chat_service.programs.coach.session_state import SessionState, WeekState
from chat_service.programs.coach.week_answers import WeekAnswers
from chat_service.programs.content.model import Program
from chat_service.programs.records import summary_markdown
from chat_service.programs.sessions.summary import ANSWER_CHARACTERS, Summary, summarize

SOMEBODY = UUID("0199a1c3-0a00-7b11-9c22-3d44e55f6666")
PROMPTS = [{"prompt_type": "scenario_1_respond", "prompt_text": "Thank them.", "response_text": "Thanks."}]


def question(number: int, text: str, **fields) -> dict:
    return {"question_number": number, "question_text": text, "prompts": PROMPTS, **fields}


@pytest.fixture
def program() -> Program:
    weeks = [
        {
            "week_number": 1,
            "name": "Week 1",
            "title": "Goals",
            "description": "Where to.",
            "questions": [
                question(1, "Hello {name}, what holds you up?", keeps="selected_problem"),
                question(2, 'You said "{Answer to question 1}". {WEEK1_VIDEO} And then?', skippable=True),
                question(3, "Anything else?"),
            ],
        },
        {
            "week_number": 2,
            "name": "Week 2",
            "title": "Support",
            "description": "With whom.",
            "questions": [
                question(1, "Who is there for you?", step="support_people"),
                question(2, "What worries you?", step="worries", skippable=True),
                question(3, "What is next?", step="goals"),
            ],
        },
    ]
    return Program(slug="driven", version=3, title="DRIVEN", description="Six weeks.", weeks=weeks)


@pytest.fixture
def session_state(program):
    def make(*states: WeekAnswers, completed: bool = False, run: int = 1) -> SessionState:
        return SessionState(
            session_id=SOMEBODY,
            user_id=SOMEBODY,
            version_id=program.version_id,
            current_week_id=program.weeks[max(len(states) - 1, 0)].week_id,
            name="Maja",
            locale="en",
            version=7,
            completed=completed,
            created_at=datetime(2026, 3, 29, tzinfo=UTC),
            weeks=[
                WeekState(week_id=week.week_id, run=run, is_completed=completed, data=data)
                for week, data in zip(program.weeks, states, strict=False)
            ],
        )

    return make


GOALS = WeekAnswers(
    answers={"1": ["Time.", "Too little *time*."], "3": ["Not yet"]},
    iteration_count={"1": 2, "3": 1},
    question_completed={"1": True, "2": True, "3": False},
    scenario={"1": "SCENARIO_1", "2": "SKIPPED"},
    followups={"1": "Since spring."},
    choices={"selected_problem": "Too little *time*."},
)
SUPPORT = WeekAnswers(
    answers={"1": ["Ana"], "3": ["b"]},
    iteration_count={"1": 1, "3": 3},
    question_completed={"1": True, "2": True, "3": True},
    scenario={"1": "SCENARIO_1", "2": "SKIPPED", "3": "SCENARIO_1"},
    chosen={"3": "A small project"},
)


def test_nothing_begun_sums_up_to_nothing(program, session_state):
    summary = summarize(program, session_state())
    assert (summary.weeks, summary.summary_type) == ([], "partial")
    assert {name: step.answer for name, step in summary.steps.items()} == {
        "support_people": None, "worries": None, "goals": None,
    }  # fmt: skip


def test_a_week_is_summed_up_by_what_was_said_kept_and_skipped(program, session_state):
    (week,) = summarize(program, session_state(GOALS, run=2)).weeks
    assert (week.week, week.title, week.run, week.is_completed) == (1, "Goals", 2, False)
    assert week.kept == {"selected_problem": "Too little *time*."}
    first, third = week.answers
    assert (first.asked, first.answer) == ("Hello Maja, what holds you up?", "Time. Too little *time*.")
    assert (first.followup, first.attempts, first.is_completed) == ("Since spring.", 2, True)
    assert (third.answer, third.is_completed) == ("Not yet", False)
    assert [(skipped.question, skipped.asked) for skipped in week.skipped] == [
        (2, 'You said "…". … And then?')
    ]


def test_steps_have_their_answers_and_attempts(program, session_state):
    steps = summarize(program, session_state(GOALS, SUPPORT)).steps
    told = {name: (step.answer, step.attempts, step.skipped) for name, step in steps.items()}
    assert told == {
        "support_people": ("Ana", 1, False),
        "worries": (None, 0, True),
        "goals": ("A small project", 3, False),
    }


def test_a_question_that_was_tried_and_then_skipped_has_no_answer(program, session_state):
    tried = replace(SUPPORT, answers={"2": ["rather not say"]}, iteration_count={"2": 1})
    summary = summarize(program, session_state(GOALS, tried))
    assert "rather not say" not in summary.model_dump_json()
    assert summary.steps["worries"].skipped


def test_long_answers_are_shortened_between_words(program, session_state):
    data = WeekAnswers(answers={"1": ["word " * 500]}, choices={"selected_problem": "word " * 500})
    (week,) = summarize(program, session_state(data)).weeks
    for text in (week.answers[0].answer, week.kept["selected_problem"]):
        assert len(text) <= ANSWER_CHARACTERS
        assert text.endswith("word…")


def test_an_ended_session_is_summed_up_completely(program, session_state):
    summary = summarize(program, session_state(GOALS, SUPPORT, completed=True))
    assert (summary.summary_type, summary.session_version) == ("complete", 7)
    assert all(week.is_completed for week in summary.weeks)


def test_a_stored_summary_reads_back_as_it_was(program, session_state):
    summary = summarize(program, session_state(GOALS, SUPPORT))
    assert Summary.model_validate_json(summary.model_dump_json()) == summary


def test_in_markdown_words_stay_words(program, session_state):
    text = summary_markdown.render(summarize(program, session_state(GOALS, SUPPORT)))
    assert text.startswith("# DRIVEN: Summary\n")
    assert "## Week 1: Goals" in text
    assert r"- **Selected problem:** Too little \*time\*." in text
    assert "### Question 2: skipped" in text
    assert "### Worries: skipped" in text
    assert "### Goals\n\n*What is next?*\n\nA small project" in text


def test_in_markdown_it_says_when_it_is_partial(program, session_state):
    partial = summary_markdown.render(summarize(program, session_state(GOALS)))
    complete = summary_markdown.render(summarize(program, session_state(GOALS, SUPPORT, completed=True)))
    assert "As far as the session has come" in partial
    assert "As far as the session has come" not in complete
