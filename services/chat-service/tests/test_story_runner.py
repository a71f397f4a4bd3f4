"""Stories that don't go as written fail and say why; those that could never fail are refused."""

from pathlib import Path
from typing import Any

import pytest
import yaml

from chat_service.programs.stories.runner import StoryReport, run_stories

PROGRAMME = """
slug: tea
version: 1
title: Tea
description: For tests
weeks:
  - week_number: 1
    name: Week 1
    title: Kettle
    description: d
    questions:
      - question_number: 1
        step: kind
        keeps: tea
        question_text: "Which tea, {name}?"
        prompts:
          - {prompt_type: classifier, prompt_text: c}
          - prompt_type: validation
            prompt_text: v
            conditions: {items: [{name: a kind, ask: "Green or black?", rule: {any_of: [green, black]}}]}
          - {prompt_type: scenario_1_respond, prompt_text: p, response_text: "Green it is, {name}.",
             conditions: {any_of: [green]}, next_question: 3}
          - {prompt_type: scenario_2_respond, prompt_text: p, response_text: "Strong, then."}
      - question_number: 2
        question_text: Milk?
        question_type: yes_no
        skippable: true
        prompts:
          - {prompt_type: scenario_1_respond, prompt_text: p, response_text: "Noted."}
      - question_number: 3
        question_text: "Your {tea} in which cup?"
        question_type: multiple_choice
        choices: [mug, glass]
        requires_followup: true
        prompts:
          - {prompt_type: scenario_1_respond, prompt_text: p, response_text: "Good."}
          - {prompt_type: followup, prompt_text: p, response_text: "Full?"}
          - {prompt_type: followup_respond, prompt_text: p, response_text: "Poured."}
  - week_number: 2
    name: Week 2
    title: Pot
    description: d
    questions:
      - question_number: 1
        question_text: "Was the {tea} good?"
        prompts:
          - {prompt_type: scenario_1_respond, prompt_text: p, response_text: "Bye {name}."}
"""


@pytest.fixture
def play(tmp_path: Path):
    """Play one story, or a whole file of them."""
    (tmp_path / "tea.yaml").write_text(PROGRAMME, encoding="utf-8")

    def run(story: dict[str, Any] | None = None, **file: Any) -> StoryReport:
        stories = [{"name": "Tea", **story}] if story is not None else []
        content = {"program": "tea", "stories": stories, **file}
        path = tmp_path / "stories.yaml"
        path.write_text(yaml.safe_dump({key: value for key, value in content.items() if value is not None}))
        return run_stories([path], tmp_path)

    return run


def turns(*said: tuple[str, dict[str, Any]]) -> list[dict[str, Any]]:
    return [{"say": say, "expect": expect} for say, expect in said]


def test_a_story_that_goes_as_written(play):
    report = play(
        {
            "opens_with": ["Which tea, Maja?"],
            "turns": turns(
                ("Hm", {"missing": ["a kind"], "completed": False, "iteration": 1, "says": ["or black"]}),
                (
                    "green, please",
                    {
                        "intent": "answer",
                        "scenario": "SCENARIO_1",
                        "method": "rule_based",
                        "missing": [],
                        "iteration": 2,
                        "completed": True,
                        "kept": {"tea": "Hm. green, please"},
                        "says": ["green it is, maja."],
                        "does_not_say": ["Strong", "Milk"],
                        "next": {"week": 1, "question": 3},
                        "asks": ["green, please in which cup"],
                        "risk": None,
                        "resources": False,
                        "skipped": False,
                    },
                ),
                ("2", {"completed": False, "says": ["Full?"], "week_completed": False}),
                ("yes", {"completed": True, "week_completed": True, "next": {"week": 2}}),
                ("It was", {"session_completed": True, "next": None}),
            ),
        }
    )
    assert str(report).splitlines()[-1] == "1 stories, 1 as written"
    assert report.ok
    assert report.unreached_scenarios == [
        "tea, week 1, question 1: no story leads to scenario_2_respond",
        "tea, week 1, question 2: no story leads to scenario_1_respond",
    ]


@pytest.mark.parametrize(
    ("expect", "failure"),
    [
        ({"intent": "skip"}, "intent: expected skip; came answer"),
        ({"risk": "high"}, "risk: expected high; came nothing"),
        ({"risk_about": "other"}, "risk_about: expected other; came nothing"),
        ({"resources": True}, "resources: expected true; came false"),
        ({"missing": ["a kind", "a cup"]}, "missing: expected a kind, a cup; came nothing"),
        ({"iteration": 2}, "iteration: expected 2; came 1"),
        ({"scenario": "SCENARIO_1"}, "scenario: expected SCENARIO_1; came SCENARIO_2"),
        ({"scenario": None}, "scenario: expected nothing; came SCENARIO_2"),
        ({"method": "hybrid"}, "method: expected hybrid; came rule_based"),
        ({"skipped": True}, "skipped: expected true; came false"),
        ({"completed": False}, "completed: expected false; came true"),
        ({"kept": {"tea": "green"}}, 'kept.tea: expected "green"; came "black"'),
        ({"kept": {"cup": "mug"}}, 'kept.cup: expected "mug"; came nothing'),
        ({"says": ["Weak"]}, 'says: expected "Weak"; came "Strong, then."'),
        ({"does_not_say": ["strong"]}, 'does_not_say: expected no "strong"; came "Strong, then. Milk?"'),
        ({"does_not_say": ["milk"]}, 'does_not_say: expected no "milk"; came "Strong, then. Milk?"'),
        ({"asks": ["Sugar"]}, 'asks: expected "Sugar"; came "Milk?"'),
        ({"next": {"question": 3}}, "next.question: expected 3; came 2"),
        ({"next": {"week": 2}}, "next.week: expected 2; came 1"),
        ({"next": {"step": "kind"}}, "next.step: expected kind; came nothing"),
        ({"next": None}, "next: expected the program's end; came week 1, question 2"),
        ({"week_completed": True}, "week_completed: expected true; came false"),
        ({"session_completed": True}, "session_completed: expected true; came false"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_wrong_expectation_says_what_came(play, expect, failure):
    report = play({"turns": turns(("black", expect))})
    assert not report.ok
    assert report.failed[0].failures == [f'stories.yaml: "Tea", turn 1 ("black")\n  {failure}']


def test_a_wrong_opening_fails(play):
    report = play({"opens_with": ["Coffee?"], "turns": turns(("black", {"completed": True}))})
    assert report.failed[0].failures == [
        'stories.yaml: "Tea"\n  opens_with: expected "Coffee?"; came "Which tea, Maja?"'
    ]


def test_the_end_where_another_question_was_expected_fails(play):
    report = play({"week": 2, "turns": turns(("Yes", {"next": {"week": 2}}))})
    assert "next.week: expected 2; came nothing" in str(report)


def test_a_story_goes_no_further_than_its_first_wrong_turn(play):
    report = play({"turns": turns(("black", {"completed": False}), ("yes", {"completed": False}))})
    assert "turn 1" in str(report)
    assert "turn 2" not in str(report)


def test_nothing_can_be_said_after_the_end(play):
    report = play({"week": 2, "turns": turns(("Yes", {"completed": True}), ("And?", {"completed": True}))})
    assert 'turn 2 ("And?")\n  the program was completed before' in str(report)


def test_words_of_danger_are_checked_for_real(play):
    expect = {"risk": "high", "risk_about": "self", "resources": True, "completed": False, "iteration": 1}
    report = play({"turns": turns(("black, I want to die", expect), ("black", {"completed": True}))})
    assert report.ok, report


def test_a_story_can_begin_later(play):
    story = {
        "question": 3,
        "name_of_learner": "Ada",
        "given": {"answers": {1: "green"}},
        "opens_with": ["Your green in which cup?"],
        "turns": turns(("mug", {"says": ["Full?"], "kept": {"tea": "green"}})),
    }
    assert play(story).ok


def test_what_is_not_given_reads_as_an_ellipsis(play):
    assert play(
        {"question": 3, "opens_with": ["Your … in which cup?"], "turns": turns(("mug", {"iteration": 1}))}
    ).ok
    assert play({"week": 2, "opens_with": ["the … good"], "turns": turns(("Yes", {"says": ["Bye"]}))}).ok


def test_choices_of_earlier_weeks_can_be_given(play):
    story = {"week": 2, "given": {"choices": {"tea": "oolong"}}, "opens_with": ["Was the oolong good?"]}
    assert play({**story, "turns": turns(("Yes", {"session_completed": True}))}).ok


@pytest.mark.parametrize(
    ("story", "problem"),
    [
        ({"turns": []}, '"Tea": turns: is empty'),
        ({}, '"Tea": turns: is missing'),
        ({"turns": turns(("black", {}))}, '"Tea", turn 1: expect: nothing is expected'),
        ({"turns": [{"say": "black"}]}, '"Tea", turn 1: expect: is missing'),
        ({"turns": turns(("black", {"says": []}))}, '"Tea", turn 1: expect.says: is empty'),
        ({"turns": turns(("black", {"says": [" "]}))}, '"Tea", turn 1: expect.says.0: is empty'),
        ({"turns": turns(("black", {"kept": {}}))}, '"Tea", turn 1: expect.kept: is empty'),
        ({"turns": turns(("black", {"next": {}}))}, '"Tea", turn 1: expect: next: give a week'),
        (
            {"turns": turns(("black", {"complete": True}))},
            '"Tea", turn 1: expect.complete: there is no such key',
        ),
        (
            {"turns": turns(("black", {"completed": "no"}))},
            '"Tea", turn 1: expect.completed: must be true or',
        ),
        ({"turns": turns(("black", {"scenario": "1"}))}, '"Tea", turn 1: expect.scenario:'),
        ({"turns": turns((" ", {"completed": True}))}, '"Tea", turn 1: say: is empty'),
        ({"turns": turns((True, {"completed": True}))}, '"Tea", turn 1: say: must be text; put it in quotes'),
        ({"turns": turns(("x", {"iteration": 1})), "wek": 2}, '"Tea": wek: there is no such key'),
        ({"turns": turns(("x", {"iteration": 1})), "week": 3}, '"Tea": week: there is no week 3'),
        ({"turns": turns(("x", {"iteration": 1})), "question": 4}, '"Tea": question: week 1 has 3 questions'),
        (
            {"turns": turns(("x", {"iteration": 1})), "given": {"answers": {1: "green"}}},
            '"Tea": given.answers: the story begins at question 1, before 1',
        ),
        (
            {"turns": turns(("x", {"iteration": 1})), "given": {"choices": {"tea": "green"}}},
            '"Tea": given.choices: no question before this one keeps tea',
        ),
        (
            {"turns": turns(("x", {"iteration": 1})), "question": 2, "given": {"choices": {"cup": "mug"}}},
            '"Tea": given.choices: no question before this one keeps cup',
        ),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_story_that_cannot_be_meant_is_refused(play, story, problem):
    report = play(story)
    assert not report.ok
    assert not report.played
    assert report.problems[0].startswith(f"stories.yaml, {problem}")


@pytest.mark.parametrize(
    ("file", "problem"),
    [
        ({"stories": []}, "stories.yaml: stories: is empty"),
        ({"program": None}, "stories.yaml: name the program, by `program` or by `file`"),
        ({"file": "tea.yaml"}, "stories.yaml: name the program, by `program` or by `file`"),
        ({"program": "coffee"}, "stories.yaml: there is no program coffee.yaml"),
        ({"program": "../tea"}, "stories.yaml: program: "),
        ({"author": "me"}, "stories.yaml: author: there is no such key"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_file_that_cannot_be_meant_is_refused(play, file, problem):
    story = {"name": "Tea", "turns": turns(("black", {"completed": True}))}
    assert play(**{"stories": [story], **file}).problems[0].startswith(problem)


def test_two_stories_of_one_name_are_refused(play):
    stories = [{"name": "Tea", "turns": turns(("black", {"completed": True}))} for _ in range(2)]
    assert play(stories=stories).problems == ['stories.yaml: two stories are called "Tea"']


def test_a_program_is_named_by_its_file_as_well(play):
    story = {"name": "Tea", "turns": turns(("black", {"completed": True}))}
    assert play(program=None, file="tea.yaml", stories=[story]).ok


def test_a_broken_program_says_what_is_wrong_with_it(play, tmp_path):
    (tmp_path / "broken.yaml").write_text(PROGRAMME.replace("Was the {tea}", "Was the {coffee}"))
    story = {"name": "Tea", "turns": turns(("black", {"completed": True}))}
    problems = play(program="broken", stories=[story]).problems
    assert problems[0].startswith("broken.yaml: week 2, question 1: {coffee}")


@pytest.mark.parametrize("text", ["", "stories: [", "- 1", "program: tea\nprogram: tea", "a: *b", "\x00"])
def test_what_is_no_story_file_is_refused(tmp_path, text):
    path = tmp_path / "stories.yaml"
    path.write_text(text)
    report = run_stories([path], tmp_path)
    assert not report.ok
    assert report.problems[0].startswith("stories.yaml: ")


def test_no_story_at_all_is_a_problem(tmp_path):
    assert run_stories([tmp_path], tmp_path).problems == ["there is no story to play"]
    assert run_stories([tmp_path / "none.yaml"], tmp_path).problems == ["none.yaml: there is no such file"]


def test_one_broken_file_keeps_no_other_from_being_played(play, tmp_path):
    play({"turns": turns(("black", {"completed": True}))})
    (tmp_path / "broken.yaml").write_text("stories: 1")
    report = run_stories([tmp_path / "stories.yaml", tmp_path / "broken.yaml"], tmp_path)
    assert len(report.played) == 1
    assert not report.ok
