"""Placeholders in a programme's texts: `{name}`, `{Answer to question 4}`, `{WEEK1_EXERCISE}`."""

import re
from collections.abc import Iterator, Mapping

from chat_service.words import shorten

_PLACEHOLDER = re.compile(r"\{([^{}]*)\}")
_ANSWER = re.compile(r"Answer to question ([1-9]\d*)")
QUOTED_CHARACTERS = 300
"""An answer is quoted up to this length, so that a long one doesn't drown the question."""


def problems(text: str, *, last_answer: int, blocks: set[str]) -> Iterator[str]:
    """What in the text can't be resolved when only answers up to that question and these blocks exist."""
    for name in _PLACEHOLDER.findall(text):
        answer = _ANSWER.fullmatch(name)
        if answer is not None:
            if int(answer[1]) > last_answer:
                yield f"{{{name}}} is not answered yet at this place"
        elif name != "name" and name not in blocks:
            yield f"{{{name}}} is neither a name, an answer nor a content block"
    if set("{}") & set(_PLACEHOLDER.sub("", text)):
        yield "a brace without its partner"


def resolve(text: str, *, name: str, answers: Mapping[int, str], blocks: Mapping[str, str]) -> str:
    """The text as the learner reads it. Their own words are put in as they are, never resolved again."""

    def value(match: re.Match[str]) -> str:
        answer = _ANSWER.fullmatch(match[1])
        if answer is not None:
            return shorten(answers[int(answer[1])], QUOTED_CHARACTERS)
        return name if match[1] == "name" else blocks[match[1]]

    return _PLACEHOLDER.sub(value, text)
