"""Looks for phrases in what people write, whatever their case, accents of typing and punctuation."""

import re
import unicodedata
from collections.abc import Iterable
from functools import cache

_TOKEN = re.compile(r"\w+")
_IGNORED = dict.fromkeys(map(ord, "'’‘`´\u00ad\u200b\u200c\u200d\u2060\ufeff"))


def tokens(text: str) -> list[str]:
    """The words in compatibility form and lower case; `don't` is one word, `dont`."""
    return _TOKEN.findall(unicodedata.normalize("NFKC", text).translate(_IGNORED).casefold())


def has_phrase(words: list[str], phrase: str) -> bool:
    """Whether the phrase occurs, on word boundaries; a trailing `*` lets its last word go on."""
    wanted, prefix = _parsed(phrase)
    return any(_matches(words[start : start + len(wanted)], wanted, prefix) for start in range(len(words)))


def has_any(words: list[str], phrases: Iterable[str]) -> bool:
    return any(has_phrase(words, phrase) for phrase in phrases)


def words_beyond(words: list[str], phrases: Iterable[str]) -> list[str]:
    """The words that are part of none of the phrases where those occur."""
    covered: set[int] = set()
    for phrase in phrases:
        wanted, prefix = _parsed(phrase)
        for start in range(len(words)):
            if _matches(words[start : start + len(wanted)], wanted, prefix):
                covered.update(range(start, start + len(wanted)))
    return [word for position, word in enumerate(words) if position not in covered]


def shorten(text: str, limit: int) -> str:
    """On one line and at most `limit` characters, cut between words."""
    line = " ".join(text.split())
    if len(line) <= limit:
        return line
    cut = line[: limit - 1].rsplit(" ", 1)[0]
    return f"{cut}…"


@cache
def _parsed(phrase: str) -> tuple[list[str], bool]:
    return tokens(phrase), phrase.rstrip().endswith("*")


def _matches(found: list[str], wanted: list[str], prefix: bool) -> bool:
    if len(found) != len(wanted) or found[:-1] != wanted[:-1]:
        return False
    return found[-1].startswith(wanted[-1]) if prefix else found[-1] == wanted[-1]
