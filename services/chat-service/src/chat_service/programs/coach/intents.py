"""Classifies the intent of a message: answer, skip the question, have it explained, or pause.

A message without a clear other intent is an answer: a wrong answer can be
corrected in the next message, a dropped one can't.
"""

from dataclasses import dataclass
from functools import cache
from typing import Literal, cast

from chat_service.embedding import embed, similarity
from chat_service.phrase_matching import tokens
from chat_service.programs.coach.phrases import phrases

Kind = Literal["answer", "skip", "clarify", "pause", "restart"]
Method = Literal["rule_based", "hybrid"]

LONGEST_WORDS = 10
"""A longer message is an answer, whatever it begins with."""
ALIKE = 0.9
"""Cosine similarity from which a short message has the intent of an example; answers stay well below."""


@dataclass(frozen=True)
class Intent:
    """`confidence` from 0 to 1: 1 for a phrase, the cosine for an example, 0 where neither matched."""

    kind: Kind
    method: Method = "rule_based"
    confidence: float = 1.0


def intent_of(text: str, locale: str) -> Intent:
    """The intent of a message in the language of the locale."""
    words = tokens(text)
    if not words or len(words) > LONGEST_WORDS:
        return Intent(kind="answer", confidence=0.0)
    language = phrases(locale)
    core = _core(words, language.fillers)
    for kind, want in language.wants.items():
        if any(core == _core(tokens(phrase), language.fillers) for phrase in want.phrases):
            return Intent(kind=cast("Kind", kind))
    return _by_meaning(text, locale)


def _core(words: list[str], fillers: frozenset[str]) -> tuple[str, ...]:
    return tuple(word for word in words if word not in fillers) or tuple(words)


def _by_meaning(text: str, locale: str) -> Intent:
    (vector,) = embed([_plain(text)])
    best, kind = max((similarity(vector, example), kind) for kind, example in _examples(locale))
    if best < ALIKE:
        return Intent(kind="answer", confidence=0.0)
    return Intent(kind=cast("Kind", kind), method="hybrid", confidence=round(min(best, 1.0), 3))


@cache
def _examples(locale: str) -> list[tuple[str, list[float]]]:
    return [
        (kind, vector)
        for kind, want in phrases(locale).wants.items()
        for vector in embed([_plain(example) for example in want.examples])
    ]


def _plain(text: str) -> str:
    """Remove what changes an embedding without changing the meaning: capitals and closing marks."""
    return text.casefold().strip(" .!?…")
