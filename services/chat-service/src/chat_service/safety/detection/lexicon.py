"""Lexicons: for one language, the phrases that are signs of danger and the phrases that change their meaning.

Read from `lexicons/LANGUAGE.yaml` and compiled into two phrase tries.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Literal

import yaml
from pydantic import BaseModel, ConfigDict

from chat_service.safety.detection.normalization import collapse_repeated_letters, tokenize
from chat_service.safety.detection.phrase_trie import PhraseTrie, expand
from chat_service.safety.detection.risk import Category, Severity

FOLDER = Path(__file__).parent / "lexicons"

SubjectRule = Literal["named", "actor"]
"""Whose danger a sign means: `named`, the last person named in the phrase, else before it; `actor`, the
person named before the phrase, who acts."""
PersonWord = Literal["self", "own", "other"]
"""`own` is `my`: inside a phrase it means the sender (`cut my arms`), before a phrase it names no person."""
ContextKind = Literal["negation", "no_negation", "idiom", "acute", "story"]
"""`no_negation`: contains a negation word that negates nothing (`not only`). `acute`: a time, a means or a
plan. `story`: a film, a book, the news."""


class SignGroup(BaseModel):
    """Phrases with the same category, severity and subject rule, as a lexicon file lists them."""

    model_config = ConfigDict(extra="forbid")

    category: Category
    severity: Severity
    about: SubjectRule = "named"
    phrases: list[str]


class LexiconFile(BaseModel):
    """Content of a lexicon file; comments in `lexicons/en.yaml` explain each part."""

    model_config = ConfigDict(extra="forbid")

    forms: dict[str, str]
    people: dict[PersonWord, list[str]]
    breaks: list[str]
    context: dict[ContextKind, list[str]]
    lists: dict[str, list[str]]
    signs: list[SignGroup]


@dataclass(frozen=True, slots=True)
class DangerSign:
    """What a phrase is a sign of, before its context in a message is considered."""

    category: Category
    severity: Severity
    about: SubjectRule


class Lexicon:
    """The compiled phrases of one language.

    `people` maps words to the person they name, `breaks` are words that begin
    a new clause (`but`). `signs` is searched in every message, `context` only
    where a sign was found.
    """

    def __init__(self, file: LexiconFile) -> None:
        self._file = file
        self._forms = {_single_word(form): _words(meant) for form, meant in file.forms.items()}
        self._known = dict(self._forms)
        self.people: dict[str, PersonWord] = {
            word: person
            for person, phrases in file.people.items()
            for words in self._plain_phrases(phrases)
            for word in words
        }
        self.breaks = frozenset(map(_single_word, file.breaks))
        self.signs: PhraseTrie[DangerSign] = PhraseTrie()
        self.context: PhraseTrie[ContextKind] = PhraseTrie()
        self._fill_tries()
        self._known |= {word: (word,) for word in (*self.people, *self.breaks)}
        self._by_collapsed = {collapse_repeated_letters(word): forms for word, forms in self._known.items()}
        self._by_collapsed |= self._known

    def canonical_words(self, token: str) -> tuple[str, ...]:
        """Return the words to compare in place of a token.

        They are the canonical form from `forms` (`dont` gives `do`, `not`), or
        the known word that the token is with repeated letters removed, or the
        token itself. Empty for a word that `forms` says to ignore.
        """
        known = self._known.get(token)
        if known is not None:
            return known
        return self._by_collapsed.get(collapse_repeated_letters(token), (token,))

    def _fill_tries(self) -> None:
        for group in self._file.signs:
            sign = DangerSign(group.category, group.severity, group.about)
            for words in self._plain_phrases(group.phrases):
                self.signs.add(words, sign)
        for kind, phrases in self._file.context.items():
            for words in self._plain_phrases(phrases):
                self.context.add(words, kind)

    def _plain_phrases(self, phrases: Iterable[str]) -> Iterator[list[str]]:
        for phrase in phrases:
            for plain in expand(phrase, self._file.lists):
                yield [word for raw in plain.split() for word in self._phrase_word(raw)]

    def _phrase_word(self, raw: str) -> tuple[str, ...]:
        """Return the canonical form of a phrase's word, and record it as known."""
        if raw in self._known and raw not in self._forms:
            return self._known[raw]
        if raw == "...":
            return (raw,)
        if raw.endswith("*"):
            return (f"{_single_word(raw[:-1])}*",)
        found = tuple(form for word in _words(raw) for form in self._forms.get(word, (word,)))
        if not found:
            raise ValueError(f"`forms` says to ignore `{raw}`, so no phrase may contain it")
        self._known |= {word: (word,) for word in found if word not in self._forms}
        return found


def language_of(locale: str) -> str:
    """Return the language of a locale: `de` for `de-CH`."""
    return locale.replace("_", "-").split("-")[0].lower()


def lexicons(locale: str) -> dict[str, Lexicon]:
    """Return all lexicons by language, that of the locale's language first.

    People write in any language whatever their locale is, so each text is searched with each lexicon.
    """
    own = language_of(locale)
    return {code: lexicon(code) for code in sorted(bundled_languages(), key=lambda code: (code != own, code))}


@cache
def bundled_languages() -> frozenset[str]:
    return frozenset(path.stem for path in FOLDER.glob("*.yaml"))


@cache
def lexicon(language: str) -> Lexicon:
    raw: Any = yaml.safe_load((FOLDER / f"{language}.yaml").read_text(encoding="utf-8"))
    return Lexicon(LexiconFile.model_validate(raw))


def _words(text: str) -> tuple[str, ...]:
    return tuple(tokenize(text))


def _single_word(text: str) -> str:
    """Normalize a text that is one word. Raises: ValueError (it is not)."""
    [word] = _words(text)
    return word
