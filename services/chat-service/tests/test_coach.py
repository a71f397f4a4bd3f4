"""What the coach says, as a function of program, state and answer."""

import json
from dataclasses import replace
from uuid import uuid4

import pytest

from chat_service.phrase_matching import has_phrase, shorten, tokens
from chat_service.programs.coach.coach import make_reply, make_restart_reply
from chat_service.programs.coach.intents import Intent, intent_of
from chat_service.programs.coach.judging import Rules
from chat_service.programs.coach.next_step import find_next_step
from chat_service.programs.coach.session_state import ProgramSession, WeekState
from chat_service.programs.coach.week_answers import WeekAnswers
from chat_service.programs.content.loader import parse
from chat_service.programs.content.rules import Rule
from chat_service.programs.sessions.store import StartRequest, new_program_session
from chat_service.programs.sessions.stored_forms import read_answers, stored_answers

TWO_WEEKS = """
slug: two-weeks
version: 1
title: Two weeks
description: For tests
weeks:
  - week_number: 1
    name: Week 1
    title: First
    description: d
    content_blocks:
      - {block_name: TIP, content_text: Breathe.}
    questions:
      - question_number: 1
        question_text: "How are you, {name}?"
        prompts:
          - {prompt_type: classifier, prompt_text: c}
          - {prompt_type: scenario_1_respond, prompt_text: p, response_text: "Good. {TIP}",
             conditions: {any_of: [well, fine]}}
          - {prompt_type: scenario_2_respond, prompt_text: p,
             response_text: "You said: {Answer to question 1}"}
  - {week_number: 2, name: Week 2, title: Hidden, description: d, is_active: false,
     questions: [{question_number: 1, question_text: q,
                  prompts: [{prompt_type: scenario_1_respond, prompt_text: p, response_text: r}]}]}
  - week_number: 3
    name: Week 3
    title: Third
    description: d
    questions:
      - question_number: 1
        question_text: "And now, {name}?"
        prompts:
          - {prompt_type: scenario_1_respond, prompt_text: p, response_text: "Bye {name}. {TIP}"}
"""


@pytest.fixture(scope="module")
def program():
    return parse(TWO_WEEKS, "two-weeks.yaml")


@pytest.fixture
def program_session(program):
    return new_program_session(StartRequest(uuid4(), "Ada"), program)


def answer(program_session: ProgramSession, words: str):
    return make_reply(program_session.context, words, intent_of(words, "en"), Rules())


def at_week(program_session: ProgramSession, number: int) -> ProgramSession:
    week = program_session.program.week_numbered(number)
    session_state = program_session.state.with_week(WeekState(week_id=week.week_id))
    return ProgramSession(replace(session_state, current_week_id=week.week_id), program_session.program)


def test_the_first_scenario_that_holds_answers(program_session):
    step = answer(program_session, "I am FINE, thanks!")
    assert (step.response, step.scenario(program_session.context.question)) == (
        "Good. Breathe.",
        "SCENARIO_1",
    )
    assert step.answers.is_completed(1)


def test_the_last_scenario_takes_everything_else(program_session):
    step = answer(program_session, "refined")
    assert (step.response, step.scenario(program_session.context.question)) == (
        "You said: refined",
        "SCENARIO_2",
    )


def test_a_week_leads_to_the_next_active_one(program_session):
    next_step = find_next_step(program_session, answer(program_session, "well"))
    assert next_step.week_completed
    assert not next_step.session_completed
    assert (next_step.week.week_number, next_step.text, next_step.opens_week) == (3, "And now, Ada?", True)
    assert next_step.state.version == program_session.state.version + 1


def test_the_last_week_leads_to_the_end(program_session):
    third = at_week(program_session, 3)
    next_step = find_next_step(third, answer(third, "anything"))
    assert next_step.week_completed
    assert next_step.session_completed
    assert (next_step.question, next_step.text, next_step.fsm_state) == (None, None, "completed")


def test_a_restart_opens_another_run_of_its_week_alone(program_session):
    third = at_week(program_session, 3)
    next_step = find_next_step(third, make_restart_reply(third.context, 1, "Restart week 1"))
    assert (next_step.week.week_number, next_step.text, next_step.opens_week) == (
        1,
        "How are you, Ada?",
        True,
    )
    runs = {state.week_id: state.run for state in next_step.state.weeks}
    assert runs == {program_session.program.weeks[0].week_id: 2, program_session.program.weeks[2].week_id: 1}
    assert not next_step.week_completed


def test_the_same_place_and_words_make_the_same_step(program_session):
    assert answer(program_session, "well") == answer(program_session, "well")
    assert program_session.context.state == WeekAnswers(), "the place is as it was"


def test_a_step_is_a_function_of_intent_too(program_session):
    refused = make_reply(program_session.context, "well", Intent(kind="skip"), Rules())
    assert (refused.kind, refused.answers) == ("aside", program_session.context.state)


def test_state_survives_json(program_session):
    answers = answer(program_session, "well").answers
    assert read_answers(json.dumps(stored_answers(answers))) == answers
    assert set(stored_answers(answers)["answers"]) == {"1"}


@pytest.mark.parametrize(
    ("text", "phrase", "found"),
    [
        ("I DON’T know", "don't know", True),
        ("I dont know", "don't know", True),
        ("unfairness", "unfair", False),
        ("unfairness", "unfair*", True),
        ("planning", "plan*", True),
        ("the plan", "plan*", True),
        ("know I don't", "don't know", False),
        ("", "anything", False),
        ("ｆｉｎｅ", "fine", True),
    ],
)
def test_phrases_are_found_on_words(text, phrase, found):
    assert has_phrase(tokens(text), phrase) is found


def test_a_rule_holds_when_everything_in_it_holds():
    rule = Rule(any_of=["8", "9"], none_of=["5"], min_words=3, max_words=6, has_number=True)
    assert rule.holds("I say 8 today")
    assert not rule.holds("I say 5 or 8 today")
    assert not rule.holds("8")
    assert not rule.holds("I say eight today")
    assert not rule.holds("I say 8 today and on every other day")


def test_long_answers_are_quoted_in_short():
    assert shorten("one two three four", 12) == "one two…"
    assert shorten("one\n two", 12) == "one two"
