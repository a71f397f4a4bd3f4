"""Places that help, by locale, and the supportive answers of the coach.

Read from YAML files in this package, so that they can be shown while every store is down.
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
"""One text for all languages, or one text for each language, with English as fallback."""


class Resource(BaseModel):
    """A help place as the API shows it.

    `region` is the region's name in the reader's language, `languages` are
    spoken there (ISO 639-1), `source` is the web page of the place.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str
    region: str
    languages: list[str]
    contact: str
    hours: str
    source: str


class _HelpPlace(BaseModel):
    """A help place in the file. With `topic`, answers list it for that category only; with `emergency`, it is
    shown for locales of its region only."""

    model_config = ConfigDict(extra="forbid")

    name: Text
    region: str
    languages: list[str]
    contact: Text
    hours: Text
    source: str
    topic: Literal["violence"] | None = None
    emergency: bool = False


class _PlacesFile(BaseModel):
    """Content of `places.yaml`. `regions` maps ISO 3166 codes to names by language."""

    model_config = ConfigDict(extra="forbid")

    regions: dict[str, Text]
    places: list[_HelpPlace]


class _SupportiveTexts(BaseModel):
    """Content of `answers.LANGUAGE.yaml`: one text for each category of risk, and two for imminent danger."""

    model_config = ConfigDict(extra="forbid")

    suicide: str
    violence: str
    harm_to_others: str
    somebody_else: str
    imminent: str
    imminent_other: str


def help_locale(locale: str, risk: Risk) -> str:
    """Return the locale of the help for a risk: the language of the words, the region of `locale`."""
    region = region_of(locale)
    return f"{risk.language}-{region}" if region is not None else risk.language


def resources(locale: str = DEFAULT_LANGUAGE) -> list[Resource]:
    """Return the help places for a locale.

    Order: places in the locale's region, places that speak its language,
    international places. Without a known region, international places come first.
    """
    return [_shown(place, language_shown(locale)) for place in _places_for(locale)]


def language_shown(locale: str) -> str:
    """Return the language of supportive answers for a locale; English where there are none in its own."""
    language = language_of(locale)
    return language if language in _supportive_texts() else DEFAULT_LANGUAGE


def supportive_answer(locale: str = DEFAULT_LANGUAGE, risk: Risk | None = None) -> str:
    """Return the answer to a message with a risk: help places, one a line, then what the coach says."""
    answers = _supportive_texts()[language_shown(locale)]
    parts = [_text_for(answers, risk)]
    if risk is not None and risk.severity == "imminent":
        parts.insert(0, answers.imminent_other if risk.subject == "other" else answers.imminent)
    return "\n\n".join([help_text(locale, risk), *parts])


def help_text(locale: str = DEFAULT_LANGUAGE, risk: Risk | None = None) -> str:
    """Return the help places that fit the risk, one a line. Those for violence only when the risk is."""
    topics = {None, "violence"} if risk is not None and risk.category == "violence" else {None}
    shown = [_shown(p, language_shown(locale)) for p in _places_for(locale) if p.topic in topics]
    return "\n".join(f"{place.name} ({place.region}): {place.contact}" for place in shown)


def _places_for(locale: str) -> list[_HelpPlace]:
    language, region = language_of(locale), region_of(locale)
    places = _places_file().places
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
    """Return the region of a locale: `CH` for `de-CH` and `de-Latn-CH`."""
    parts = locale.replace("_", "-").split("-")[1:]
    return next((part.upper() for part in parts if len(part) == 2 and part.isalpha()), None)


def _shown(place: _HelpPlace, language: str) -> Resource:
    return Resource(
        name=_translated(place.name, language),
        region=_translated(_places_file().regions[place.region], language),
        languages=place.languages,
        contact=_translated(place.contact, language),
        hours=_translated(place.hours, language),
        source=place.source,
    )


def _translated(text: Text, language: str) -> str:
    if isinstance(text, str):
        return text
    return text.get(language) or text[DEFAULT_LANGUAGE]


def _text_for(answers: _SupportiveTexts, risk: Risk | None) -> str:
    by_category: Mapping[str, str] = {
        "violence": answers.violence,
        "harm_to_others": answers.harm_to_others,
        "somebody_else": answers.somebody_else,
    }
    return by_category.get(risk.category, answers.suicide) if risk is not None else answers.suicide


@cache
def _places_file() -> _PlacesFile:
    return _PlacesFile.model_validate(_read("places"))


@cache
def _supportive_texts() -> dict[str, _SupportiveTexts]:
    """Return the supportive answers by language."""
    files = FOLDER.glob("answers.*.yaml")
    return {path.name.split(".")[1]: _SupportiveTexts.model_validate(_read(path.stem)) for path in files}


def _read(name: str) -> Any:
    return yaml.safe_load((FOLDER / f"{name}.yaml").read_text(encoding="utf-8"))
