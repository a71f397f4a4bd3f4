"""Finds phrases in texts, regardless of case, apostrophes and punctuation, and shortens texts."""

import re
import unicodedata
from collections.abc import Iterable
from functools import cache

_TOKEN = re.compile(r"\w+")
_IGNORED = dict.fromkeys(map(ord, "'’‘`´\u00ad\u200b\u200c\u200d\u2060\ufeff"))


def tokens(text: str) -> list[str]:
    """Split a text into lower-case words in Unicode compatibility form; `don't` becomes `dont`."""
    return _TOKEN.findall(unicodedata.normalize("NFKC", text).translate(_IGNORED).casefold())


def has_phrase(words: list[str], phrase: str) -> bool:
    """Whether the words contain a phrase. A trailing `*` lets its last word match by its beginning."""
    return _needle(phrase) in _spaced(words)


def has_any(words: list[str], phrases: Iterable[str]) -> bool:
    spaced = _spaced(words)
    return any(_needle(phrase) in spaced for phrase in phrases)


def words_beyond(words: list[str], phrases: Iterable[str]) -> list[str]:
    """Return the words outside all occurrences of the phrases."""
    spaced, covered = _spaced(words), set[int]()
    for phrase in phrases:
        needle = _needle(phrase)
        at = spaced.find(needle)
        while at >= 0:
            first = spaced.count(" ", 0, at)  # each word has one space before it
            covered.update(range(first, first + len(_wanted(phrase))))
            at = spaced.find(needle, at + 1)
    return [word for position, word in enumerate(words) if position not in covered]


def shorten(text: str, limit: int) -> str:
    """Put a text on one line of at most `limit` characters, cut between words."""
    line = " ".join(text.split())
    if len(line) <= limit:
        return line
    cut = line[: limit - 1].rsplit(" ", 1)[0]
    return f"{cut}…"


def _spaced(words: list[str]) -> str:
    """Join the words with spaces on both sides, so that one substring search finds a phrase."""
    return f" {' '.join(words)} "


@cache
def _wanted(phrase: str) -> list[str]:
    return tokens(phrase)


@cache
def _needle(phrase: str) -> str:
    """Return the substring of `_spaced` text that a phrase matches."""
    wanted = " ".join(_wanted(phrase))
    if not wanted:
        return "\n"  # a phrase without a word occurs nowhere
    return f" {wanted}" if phrase.rstrip().endswith("*") else f" {wanted} "
