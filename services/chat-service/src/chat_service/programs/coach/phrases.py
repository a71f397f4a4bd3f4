"""What the coach recognises and says in every program, by language."""

from functools import cache
from pathlib import Path

import yaml
from pydantic import BaseModel, ConfigDict

_FILE = Path(__file__).parent / "phrases.yaml"
FALLBACK = "en"


class IntentPhrases(BaseModel):
    """How somebody says that they want something else than to answer."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    phrases: list[str]
    examples: list[str]


class Phrases(BaseModel):
    """One language. `says` are the coach's own texts by name, `missing` what it may find missing."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    fillers: frozenset[str]
    wants: dict[str, IntentPhrases]
    yes: list[str]
    no: list[str]
    says: dict[str, str]
    missing: dict[str, str]


def phrases(locale: str) -> Phrases:
    """The language of the locale, English where it isn't there."""
    known = _languages()
    return known.get(locale.split("-", maxsplit=1)[0].lower(), known[FALLBACK])


@cache
def _languages() -> dict[str, Phrases]:
    found = yaml.safe_load(_FILE.read_text(encoding="utf-8"))
    return {language: Phrases.model_validate(content) for language, content in found.items()}
