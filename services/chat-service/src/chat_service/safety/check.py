"""The safety check at the start of every turn.

A small lexicon, matched on normalised words. It has no ear for negation or
for talk about others, and leans towards showing help too often: it never
blocks and never drops a message, so a needless hint costs a glance.
"""

from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Literal

import yaml
from pydantic import BaseModel, ConfigDict

from chat_service.words import has_any, tokens

Severity = Literal["concern", "high", "imminent"]
_FOLDER = Path(__file__).parent


@dataclass(frozen=True)
class Risk:
    """What the check found. It holds no word of the message."""

    category: str
    severity: Severity


class Resource(BaseModel):
    """A place to turn to; `region` is a country or area, or `international`."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str
    region: str
    contact: str
    hours: str


class _Entry(BaseModel):
    model_config = ConfigDict(extra="forbid")

    category: str
    severity: Severity
    phrases: list[str]


class _Help(BaseModel):
    model_config = ConfigDict(extra="forbid")

    support: str
    resources: list[Resource]


def check(text: str) -> Risk | None:
    """The gravest risk that the words speak of; the lexicon lists it first."""
    words = tokens(text)
    for entry in _lexicon():
        if has_any(words, entry.phrases):
            return Risk(entry.category, entry.severity)
    return None


def resources() -> list[Resource]:
    """Packaged with the service: they show with every store down."""
    return _help().resources


def supportive_answer() -> str:
    """Where to find help, one place a line, then what a coach can honestly say."""
    return f"{help_text()}\n\n{_help().support}"


def help_text() -> str:
    return "\n".join(f"{place.name} ({place.region}): {place.contact}" for place in resources())


@cache
def _lexicon() -> list[_Entry]:
    return [_Entry.model_validate(entry) for entry in _read("lexicon.yaml")]


@cache
def _help() -> _Help:
    return _Help.model_validate(_read("help.yaml"))


def _read(name: str) -> Any:
    return yaml.safe_load((_FOLDER / name).read_text(encoding="utf-8"))
