"""Rules that judge an answer without a language model: whether it is complete, and its scenario."""

import re
import unicodedata

from pydantic import BaseModel, ConfigDict, Field

from chat_service.phrase_matching import has_any, has_phrase, tokens, words_beyond

_NAMED = {
    name: number
    for names in (
        "two three four five six seven eight nine ten",
        "zwei drei vier fünf sechs sieben acht neun zehn",
    )
    for number, name in enumerate(names.split(), 2)
}
"""Without "one", which is mostly a pronoun."""
_DIGITS = r"(?<![\d.,:])\d{1,9}(?!\d)"
_NUMBER = re.compile(
    rf"({_DIGITS}|\b(?:{'|'.join(_NAMED)})\b)(?:\s*(?:/|out of|of|von)\s*(?:{_DIGITS}|ten|zehn))?",
    re.IGNORECASE,
)


class Rule(BaseModel):
    """Holds when everything given in it holds. Phrases are matched on words; `plan*` also finds "plans".

    `only_of`: the text has no words but those of these phrases; `more_than`:
    it has at least one other word, which distinguishes an answer from "hmm, I
    don't know". `number_from` and `number_to` bound the last number of the
    text, as for a confidence from 1 to 10.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    any_of: list[str] = []
    all_of: list[str] = []
    none_of: list[str] = []
    only_of: list[str] = []
    more_than: list[str] = []
    min_words: int | None = Field(default=None, ge=1)
    max_words: int | None = Field(default=None, ge=1)
    has_number: bool = False
    number_from: int | None = None
    number_to: int | None = None

    def holds(self, text: str) -> bool:
        words = tokens(text)
        return (
            (not self.any_of or has_any(words, self.any_of))
            and all(has_phrase(words, phrase) for phrase in self.all_of)
            and not has_any(words, self.none_of)
            and (not self.only_of or not words_beyond(words, self.only_of))
            and (not self.more_than or bool(words_beyond(words, self.more_than)))
            and (self.min_words is None or len(words) >= self.min_words)
            and (self.max_words is None or len(words) <= self.max_words)
            and (not self.has_number or any(word.isdecimal() for word in words))
            and self._has_the_number(text)
        )

    def _has_the_number(self, text: str) -> bool:
        if self.number_from is None and self.number_to is None:
            return True
        number = last_number(text)
        return (
            number is not None
            and (self.number_from is None or number >= self.number_from)
            and (self.number_to is None or number <= self.number_to)
        )


def last_number(text: str) -> int | None:
    """The last number of a text: 4 in "four out of 10" and in "4/10", 8 in "at 3, confidence 8"."""
    found = _NUMBER.findall(unicodedata.normalize("NFKC", text))
    if not found:
        return None
    return _NAMED.get(found[-1].lower()) or int(found[-1])


class RequiredItem(BaseModel):
    """One item of a complete answer; `ask` is the coach's question for it when it is missing."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str = Field(min_length=1)
    ask: str = Field(min_length=1)
    rule: Rule


class Checklist(BaseModel):
    """The items of a complete answer, the most important one first."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    items: list[RequiredItem] = Field(min_length=1)

    def missing(self, text: str) -> list[RequiredItem]:
        return [item for item in self.items if not item.rule.holds(text)]
