"""Placeholders in a program's texts: `{name}`, `{Answer to question 4}`, `{WEEK1_EXERCISE}`, `{goal}`."""

import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field

from chat_service.phrase_matching import shorten

_PLACEHOLDER = re.compile(r"\{([^{}]*)\}")
_ANSWER = re.compile(r"Answer to question ([1-9]\d*)")
RESERVED = frozenset({"name", "summary"})
QUOTED_CHARACTERS = 300
"""An answer is quoted up to this length, so that a long one doesn't drown the question."""


@dataclass(frozen=True)
class Known:
    """Names that can be resolved at a question, on every path to it."""

    answers: Collection[int] = ()
    blocks: Collection[str] = ()
    kept: Collection[str] = ()


@dataclass(frozen=True)
class Values:
    """Values of placeholders in one program session."""

    name: str
    answers: Mapping[int, str] = field(default_factory=dict)
    blocks: Mapping[str, str] = field(default_factory=dict)
    kept: Mapping[str, str] = field(default_factory=dict)
    summary: str = ""


def problems(text: str, known: Known) -> Iterator[str]:
    """Yield what in the text can't be resolved with `known`."""
    for name in _PLACEHOLDER.findall(text):
        answer = _ANSWER.fullmatch(name)
        if answer is not None:
            if int(answer[1]) not in known.answers:
                yield f"{{{name}}} is not answered yet at this place, or not by everybody"
        elif name not in RESERVED and name not in known.blocks and name not in known.kept:
            yield f"{{{name}}} is neither a name, an answer, a content block nor kept by an earlier question"
    if set("{}") & set(_PLACEHOLDER.sub("", text)):
        yield "a brace without its partner"


def resolve(text: str, values: Values) -> str:
    """Resolve the placeholders. Quoted answers are inserted as they are and not resolved again."""

    def value(match: re.Match[str]) -> str:
        return _value(match[1], values)

    return _PLACEHOLDER.sub(value, text)


def _value(name: str, values: Values) -> str:
    answer = _ANSWER.fullmatch(name)
    if answer is not None:
        return shorten(values.answers[int(answer[1])], QUOTED_CHARACTERS)
    if name == "name":
        return values.name
    if name == "summary":
        return values.summary
    if name in values.blocks:
        return values.blocks[name]
    return shorten(values.kept[name], QUOTED_CHARACTERS)
