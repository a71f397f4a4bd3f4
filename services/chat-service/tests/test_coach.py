"""What the coach says, as a function of programme, state and answer."""

import pytest

from chat_service.programs.coach import respond
from chat_service.programs.intents import intent_of
from chat_service.programs.judging import Rules
from chat_service.programs.loader import parse
from chat_service.programs.progress import after
from chat_service.programs.rules import Rule
from chat_service.programs.state import ConversationData
from chat_service.words import has_phrase, shorten, tokens

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
def programme():
    return parse(TWO_WEEKS, "two-weeks.yaml")


@pytest.fixture
def standing(programme):
    week = programme.weeks[0]
    return Standing(programme, week, week.question(1), ConversationData(), "Ada")


def test_the_first_scenario_that_holds_answers(standing):
    step = respond(standing, "I am FINE, thanks!")
    assert (step.response, step.scenario(standing.question)) == ("Good. Breathe.", "SCENARIO_1")
    assert step.state.is_completed(1)


def test_the_last_scenario_takes_everything_else(standing):
    step = respond(standing, "refined")
    assert (step.response, step.scenario(standing.question)) == ("You said: refined", "SCENARIO_2")


def test_a_week_leads_to_the_next_active_one(standing, programme):
    following = after(standing, respond(standing, "well"))
    assert following.week_completed
    assert not following.session_completed
    assert (following.week.week_number, following.text) == (3, "And now, Ada?")


def test_the_last_week_leads_to_the_end(programme):
    week = programme.weeks[2]
    standing = Standing(programme, week, week.question(1), ConversationData(), "Ada")
    following = after(standing, respond(standing, "anything"))
    assert following.week_completed
    assert following.session_completed


def test_state_survives_json(standing):
    state = respond(standing, "well").state
    assert ConversationData.model_validate_json(state.model_dump_json()) == state
    assert set(state.model_dump()["answers"]) == {"1"}


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
