"""The first safety check: what it finds, and what it leaves alone."""

import pytest

from chat_service.safety.check import Risk, check, resources, supportive_answer


@pytest.mark.parametrize(
    ("words", "risk"),
    [
        ("I'm going to kill myself", Risk("self_harm", "imminent")),
        ("I WANT TO DIE!!!", Risk("self_harm", "high")),
        ("sometimes i dont want to be alive", Risk("self_harm", "high")),
        ("I don’t want to live", Risk("self_harm", "high")),
        ("suicidal thoughts again", Risk("self_harm", "high")),
        ("self-harm", Risk("self_harm", "high")),
        ("He hits me when he drinks", Risk("violence", "high")),
        ("I wish I was never… I wish I were dead", Risk("self_harm", "concern")),
        ("k\u200bill m\u00adyself", Risk("self_harm", "high")),
    ],
)
def test_danger_is_noticed(words, risk):
    assert check(words) == risk


@pytest.mark.parametrize(
    "words",
    [
        "",
        "This deadline is killing me",
        "I died laughing",
        "Then it hits me that I was wrong",
        "I cut a corner",
        "dead tired",
    ],
)
def test_figures_of_speech_are_left_alone(words):
    assert check(words) is None


def test_help_comes_before_everything_else():
    lines = supportive_answer().splitlines()
    assert lines[0].startswith(resources()[0].name)
    assert len(resources()) >= 3
