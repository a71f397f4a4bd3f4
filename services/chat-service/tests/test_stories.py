"""Every story of the bundled programs goes as its author wrote it."""

from pathlib import Path

import pytest

from chat_service.programs.stories.runner import find_cases, play, run_stories

CONTENT = Path(__file__).parents[3] / "content"
SCENES, PROBLEMS = find_cases([CONTENT / "stories"], CONTENT / "programs")


@pytest.mark.parametrize("case", SCENES, ids=lambda case: case.title)
def test_the_story_goes_as_written(case):
    failures = play(case).failures
    assert not failures, "\n".join(failures)


def test_every_story_can_be_played():
    assert PROBLEMS == []


@pytest.mark.parametrize(("slug", "least"), [("driven", 34), ("support-intake", 26)])
def test_both_programs_have_their_stories(slug, least):
    assert sum(case.start.program.slug == slug for case in SCENES) >= least


def test_a_story_leads_to_every_branch():
    assert run_stories([CONTENT / "stories"], CONTENT / "programs").unreached_scenarios == []
