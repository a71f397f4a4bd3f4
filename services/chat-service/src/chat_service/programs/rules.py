"""Rules that stand in for a language model: is an answer complete, and which scenario is it?"""

from pydantic import BaseModel, ConfigDict, Field

from chat_service.words import has_any, has_phrase, tokens, words_beyond


class Rule(BaseModel):
    """Holds when everything given in it holds. Phrases are matched on words; `plan*` also finds "plans".

    `only_of`: there is no word but those of these phrases; `more_than`: there
    is one. The latter tells an answer from "hmm, I don't know", also when it
    comes at the second attempt.
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
        )


class RequiredItem(BaseModel):
    """One thing a complete answer has; `ask` is how the coach asks for it when it is missing."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str = Field(min_length=1)
    ask: str = Field(min_length=1)
    rule: Rule


class Checklist(BaseModel):
    """What a complete answer has, the most important thing first."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    items: list[RequiredItem] = Field(min_length=1)

    def missing(self, text: str) -> list[RequiredItem]:
        return [item for item in self.items if not item.rule.holds(text)]
