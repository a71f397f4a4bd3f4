"""Where people find help, by locale, and what a coach can honestly say.

Packaged with the service, so that it shows with every store down.
"""

from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any, Literal

import yaml
from pydantic import BaseModel, ConfigDict

from chat_service.safety.detection.lexicon import language_of
from chat_service.safety.detection.risk import Risk

FOLDER = Path(__file__).parent
INTERNATIONAL = "international"
DEFAULT_LANGUAGE = "en"

Text = str | dict[str, str]
"""The same for everybody, or one for each language; English where a language is missing."""


class Resource(BaseModel):
    """A place to turn to.

    `region` is named in the reader's language, `languages` are those spoken
    there (ISO 639-1), `source` is where the place describes itself.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str
    region: str
    languages: list[str]
    contact: str
    hours: str
    source: str


class _Place(BaseModel):
    """`topic`: shown in an answer to that alone; `emergency`: to people in its region alone."""

    model_config = ConfigDict(extra="forbid")

    name: Text
    region: str
    languages: list[str]
    contact: Text
    hours: Text
    source: str
    topic: Literal["violence"] | None = None
    emergency: bool = False


class _Places(BaseModel):
    """`regions` names each region: ISO 3166 code, then language."""

    model_config = ConfigDict(extra="forbid")

    regions: dict[str, Text]
    places: list[_Place]


class _Answers(BaseModel):
    """What is said to somebody about themselves, about being hurt, about hurting, about somebody else."""

    model_config = ConfigDict(extra="forbid")

    suicide: str
    violence: str
    harm_to_others: str
    somebody_else: str
    imminent: str
    imminent_other: str


def resources(locale: str = DEFAULT_LANGUAGE) -> list[Resource]:
    """Places for somebody of this locale.

    Those of its region first, then those that speak its language, then the
    international ones; without a region, the international ones first.
    """
    return [_shown(place, language_shown(locale)) for place in _places_for(locale)]


def language_shown(locale: str) -> str:
    """The language in which somebody of this locale is answered."""
    language = language_of(locale)
    return language if language in _all_answers() else DEFAULT_LANGUAGE


def supportive_answer(locale: str = DEFAULT_LANGUAGE, risk: Risk | None = None) -> str:
    """Where to find help, one place a line, then what a coach can honestly say."""
    answers = _all_answers()[language_shown(locale)]
    said = [_kind(answers, risk)]
    if risk is not None and risk.severity == "imminent":
        said.insert(0, answers.imminent_other if risk.subject == "other" else answers.imminent)
    return "\n\n".join([help_text(locale, risk), *said])


def help_text(locale: str = DEFAULT_LANGUAGE, risk: Risk | None = None) -> str:
    """The places that fit the risk, one a line; for violence, those for it too."""
    topics = {None, "violence"} if risk is not None and risk.category == "violence" else {None}
    shown = [_shown(p, language_shown(locale)) for p in _places_for(locale) if p.topic in topics]
    return "\n".join(f"{place.name} ({place.region}): {place.contact}" for place in shown)


def _places_for(locale: str) -> list[_Place]:
    language, region = language_of(locale), region_of(locale)
    places = _read_places().places
    spoken = language if any(language in place.languages for place in places) else DEFAULT_LANGUAGE
    here = [place for place in places if place.region == region]
    everywhere = [place for place in places if place.region == INTERNATIONAL]
    elsewhere = [
        place
        for place in places
        if place.region not in (region, INTERNATIONAL) and spoken in place.languages and not place.emergency
    ]
    return [*here, *elsewhere, *everywhere] if here else [*everywhere, *elsewhere]


def region_of(locale: str) -> str | None:
    """`CH` for `de-CH` and `de-Latn-CH`."""
    parts = locale.replace("_", "-").split("-")[1:]
    return next((part.upper() for part in parts if len(part) == 2 and part.isalpha()), None)


def _shown(place: _Place, language: str) -> Resource:
    return Resource(
        name=_in(place.name, language),
        region=_in(_read_places().regions[place.region], language),
        languages=place.languages,
        contact=_in(place.contact, language),
        hours=_in(place.hours, language),
        source=place.source,
    )


def _in(text: Text, language: str) -> str:
    if isinstance(text, str):
        return text
    return text.get(language) or text[DEFAULT_LANGUAGE]


def _kind(answers: _Answers, risk: Risk | None) -> str:
    by_category: Mapping[str, str] = {
        "violence": answers.violence,
        "harm_to_others": answers.harm_to_others,
        "somebody_else": answers.somebody_else,
    }
    return by_category.get(risk.category, answers.suicide) if risk is not None else answers.suicide


@cache
def _read_places() -> _Places:
    return _Places.model_validate(_read("places"))


@cache
def _all_answers() -> dict[str, _Answers]:
    """By language."""
    files = FOLDER.glob("answers.*.yaml")
    return {path.name.split(".")[1]: _Answers.model_validate(_read(path.stem)) for path in files}


def _read(name: str) -> Any:
    return yaml.safe_load((FOLDER / f"{name}.yaml").read_text(encoding="utf-8"))
