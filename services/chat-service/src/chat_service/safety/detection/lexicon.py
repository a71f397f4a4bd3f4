"""The lexicons, one for each language, read from YAML and made ready for searching."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Literal

import yaml
from pydantic import BaseModel, ConfigDict

from chat_service.safety.detection.phrase_trie import Phrases, spellings
from chat_service.safety.detection.risk import Category, Severity
from chat_service.safety.detection.text import squeezed, tokens

FOLDER = Path(__file__).parent / "lexicons"


About = Literal["named", "actor"]
"""Whose danger a sign is: the last person's whom it names, or theirs who act and are named before it."""
Person = Literal["self", "own", "other"]
"""`own` is `my`: within a phrase it means oneself (`cut my arms`), before one it may be about anything."""
Context = Literal["negation", "no_negation", "idiom", "acute", "story"]


class SignEntry(BaseModel):
    model_config = ConfigDict(extra="forbid")

    category: Category
    severity: Severity
    about: About = "named"
    phrases: list[str]


class LexiconFile(BaseModel):
    """What a language's file holds; `lexicons/en.yaml` explains each part."""

    model_config = ConfigDict(extra="forbid")

    forms: dict[str, str]
    people: dict[Person, list[str]]
    breaks: list[str]
    context: dict[Context, list[str]]
    lists: dict[str, list[str]]
    signs: list[SignEntry]


@dataclass(frozen=True, slots=True)
class Sign:
    """What a phrase warns of."""

    category: Category
    severity: Severity
    about: About


class Lexicon:
    """A language's phrases and the words that say whom they are about."""

    def __init__(self, file: LexiconFile) -> None:
        self._file = file
        self._forms = {_word(form): _words(meant) for form, meant in file.forms.items()}
        self._known = dict(self._forms)
        self.people: dict[str, Person] = {
            word: person
            for person, phrases in file.people.items()
            for phrase in phrases
            for spelling in self._spellings(phrase)
            for word in spelling
        }
        self.breaks = frozenset(map(_word, file.breaks))
        self.signs: Phrases[Sign] = Phrases()
        """Searched in every message; the context only where a sign was found."""
        self.context: Phrases[Context] = Phrases()
        self._fill()
        self._known |= {word: (word,) for word in (*self.people, *self.breaks)}
        self._stretched = {squeezed(word): forms for word, forms in self._known.items()} | self._known

    def words(self, token: str) -> tuple[str, ...]:
        """What is compared in the place of this one: its forms, or itself; drawn-out letters are undone."""
        known = self._known.get(token)
        return known if known is not None else self._stretched.get(squeezed(token), (token,))

    def _fill(self) -> None:
        for sign in self._file.signs:
            meaning = Sign(sign.category, sign.severity, sign.about)
            for words in self._all(sign.phrases):
                self.signs.add(words, meaning)
        for kind, phrases in self._file.context.items():
            for words in self._all(phrases):
                self.context.add(words, kind)

    def _all(self, phrases: Iterable[str]) -> Iterator[list[str]]:
        return (words for phrase in phrases for words in self._spellings(phrase))

    def _spellings(self, phrase: str) -> Iterator[list[str]]:
        for spelling in spellings(phrase, self._file.lists):
            yield [word for raw in spelling.split() for word in self._read(raw)]

    def _read(self, raw: str) -> tuple[str, ...]:
        """A word of a phrase in its forms; from then on it is known."""
        if raw in self._known and raw not in self._forms:
            return self._known[raw]
        if raw == "...":
            return (raw,)
        if raw.endswith("*"):
            return (f"{_word(raw[:-1])}*",)
        found = tuple(form for word in _words(raw) for form in self._forms.get(word, (word,)))
        if not found:
            raise ValueError(f"`{raw}` is passed over, so no phrase may name it")
        self._known |= {word: (word,) for word in found if word not in self._forms}
        return found


def language_of(locale: str) -> str:
    """`de` for `de-CH`."""
    return locale.replace("_", "-").split("-")[0].lower()


def lexicons(locale: str) -> list[Lexicon]:
    """The locale's language first, and English for everybody."""
    languages = dict.fromkeys((language_of(locale), "en"))
    return [lexicon(language) for language in languages if language in bundled()]


@cache
def bundled() -> frozenset[str]:
    return frozenset(path.stem for path in FOLDER.glob("*.yaml"))


@cache
def lexicon(language: str) -> Lexicon:
    raw: Any = yaml.safe_load((FOLDER / f"{language}.yaml").read_text(encoding="utf-8"))
    return Lexicon(LexiconFile.model_validate(raw))


def _words(text: str) -> tuple[str, ...]:
    return tuple(tokens(text))


def _word(text: str) -> str:
    """The one word that the text is."""
    [word] = _words(text)
    return word
