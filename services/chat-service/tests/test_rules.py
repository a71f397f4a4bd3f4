"""Rules that tell an answer from words that say nothing yet."""

import pytest

from chat_service.programs.content.rules import Rule

EVASIONS = ["I don't know", "not sure", "hm*", "maybe"]


@pytest.mark.parametrize(
    ("text", "says_something"),
    [
        ("I don't know", False),
        ("Hmm... not sure, maybe?", False),
        ("", False),
        ("🙂", False),
        ("Tom", True),
        ("I don't know. Tom", True),
        ("I know", True),
        ("don't know I", True),
    ],
)
def test_nothing_but_evasions_is_no_answer(text, says_something):
    assert Rule(more_than=EVASIONS).holds(text) is says_something
    assert Rule(only_of=EVASIONS).holds(text) is not says_something
