"""Fixed phrases that the coach recognizes and uses in every program, by language."""

from functools import cache
from pathlib import Path

import yaml
from pydantic import BaseModel, ConfigDict

_FILE = Path(__file__).parent / "phrases.yaml"
FALLBACK = "en"


class IntentPhrases(BaseModel):
    """Phrases and examples of one intent other than an answer."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    phrases: list[str]
    examples: list[str]


class Phrases(BaseModel):
    """Phrases of one language. `says` are the coach's texts by name, `missing` names of missing items."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    fillers: frozenset[str]
    wants: dict[str, IntentPhrases]
    yes: list[str]
    no: list[str]
    says: dict[str, str]
    missing: dict[str, str]


def phrases(locale: str) -> Phrases:
    """The phrases of the locale's language, in English where there are none."""
    known = _languages()
    return known.get(locale.split("-", maxsplit=1)[0].lower(), known[FALLBACK])


@cache
def _languages() -> dict[str, Phrases]:
    found = yaml.safe_load(_FILE.read_text(encoding="utf-8"))
    return {language: Phrases.model_validate(content) for language, content in found.items()}
