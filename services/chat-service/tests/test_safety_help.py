"""Where people find help: by locale, with every store down, and before everything else that is said."""

import re

import pytest
from fastapi.testclient import TestClient

from chat_service.app import create_app
from chat_service.safety.detection.lexicon import bundled_languages
from chat_service.safety.detection.risk import Risk
from chat_service.safety.help.places import (
    help_locale,
    help_text,
    language_shown,
    resources,
    supportive_answer,
)
from chat_service.settings import Settings
from cogniflow_dev.testing.openapi import offline_settings

RISKS = [
    None,
    Risk("suicide", "high"),
    Risk("suicide", "imminent"),
    Risk("self_harm", "high"),
    Risk("violence", "high"),
    Risk("harm_to_others", "concern"),
    Risk("somebody_else", "imminent", "other"),
]


def regions(locale):
    """Each region once, in the order in which its places are shown."""
    return list(dict.fromkeys(place.region for place in resources(locale)))


@pytest.mark.parametrize(
    ("locale", "first", "last"),
    [
        ("de-CH", "Schweiz", "international"),
        ("de-AT", "Österreich", "international"),
        ("de_DE", "Deutschland", "international"),
        ("de-Latn-CH", "Schweiz", "international"),
        ("en-GB", "United Kingdom", "international"),
        ("en-US", "United States", "international"),
        ("en-DE", "Germany", "international"),
        ("fr-CH", "Switzerland", "international"),
    ],
)
def test_the_own_country_comes_first(locale, first, last):
    assert (regions(locale)[0], regions(locale)[-1]) == (first, last)
    assert "mergency" in resources(locale)[0].name or "Notruf" in resources(locale)[0].name


def test_after_the_own_country_come_those_of_the_same_language():
    assert regions("de-CH") == ["Schweiz", "Deutschland", "Österreich", "international"]
    assert {"Deutschland", "Schweiz", "Österreich"} < set(regions("de"))
    assert "United States" not in regions("de-CH")


@pytest.mark.parametrize(
    "locale", ["en", "de", "EN", "pt-BR", "tlh", "", "-", "../../etc/passwd", "\x00", "x" * 5000]
)
def test_without_a_known_country_the_international_ones_come_first(locale):
    assert regions(locale)[0] == "international"
    assert len(resources(locale)) > 4


def test_no_argument_is_english():
    assert resources() == resources("en")
    assert supportive_answer() == supportive_answer("en", None)


@pytest.mark.parametrize("locale", ["en", "en-GB", "de", "de-CH", "fr"])
def test_every_place_says_how_when_and_by_whose_word(locale):
    for place in resources(locale):
        assert re.search(r"\d{2,}|https://", place.contact)
        assert place.hours
        assert place.source.startswith("https://")
        assert place.languages or place.region == "international"


@pytest.mark.parametrize("risk", RISKS, ids=str)
@pytest.mark.parametrize("locale", ["en", "en-GB", "de-CH", "fr"])
def test_places_come_before_everything_that_is_said(locale, risk):
    answer = supportive_answer(locale, risk)
    assert answer.startswith(resources(locale)[0].name)
    assert answer.startswith(help_text(locale, risk) + "\n\n")
    german = locale.startswith("de")
    assert ("Programm" in answer) is german
    assert ("I'm a program" in answer) is not german


def test_what_is_said_fits_what_was_found():
    said = {risk: supportive_answer("en", risk) for risk in RISKS[1:]}
    assert len(set(said.values())) == len(RISKS) - 2, "self-harm and suicide are answered alike"
    assert "isn't your" in said[Risk("violence", "high")]
    assert "Domestic" in said[Risk("violence", "high")]
    assert "Domestic" not in said[Risk("suicide", "high")]
    assert "They" not in said[Risk("suicide", "imminent")]
    assert "If they are in danger" in said[Risk("somebody_else", "imminent", "other")]


@pytest.fixture(scope="module")
def without_stores():
    return TestClient(create_app(Settings(**offline_settings("chat"))))


@pytest.mark.parametrize(
    ("query", "accepts", "language", "first"),
    [
        ("?locale=de-CH", None, "de", "Schweiz"),
        ("?locale=en-GB", "de-CH", "en", "United Kingdom"),
        ("", "de-AT,de;q=0.9,en;q=0.8", "de", "Österreich"),
        ("", None, "en", "international"),
        ("?locale=", "", "en", "international"),
        ("?locale=../..", None, "en", "international"),
    ],
)
def test_help_needs_neither_store_nor_token(without_stores, query, accepts, language, first):
    headers = {"Accept-Language": accepts} if accepts is not None else {}
    answer = without_stores.get(f"/api/safety/resources{query}", headers=headers)
    assert answer.status_code == 200
    assert answer.json()["language"] == language
    assert answer.json()["resources"][0]["region"] == first
    assert answer.headers["Cache-Control"] == "public, max-age=86400"
    assert answer.headers["Vary"] == "Accept-Language"


@pytest.mark.parametrize(
    ("locale", "language", "shown"),
    [
        ("en", "de", "de"),
        ("de-CH", "en", "en-CH"),
        ("fr-CH", "de", "de-CH"),
        ("de-DE", "de", "de-DE"),
    ],
)
def test_help_is_in_the_language_of_the_words_for_the_region_of_the_person(locale, language, shown):
    assert help_locale(locale, Risk("suicide", "high", language=language)) == shown


def test_every_language_in_which_danger_is_found_has_help():
    assert {language: language_shown(language) for language in bundled_languages()} == {
        language: language for language in bundled_languages()
    }
