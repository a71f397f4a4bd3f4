"""The safety check finds danger in messages and ignores harmless ones."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chat_service.safety.detection.detector import detect_risk, find_risks
from chat_service.safety.detection.lexicon import bundled_languages, lexicon
from chat_service.safety.detection.normalization import tokenize
from chat_service.safety.detection.risk import Risk


@pytest.mark.parametrize(
    ("words", "risk"),
    [
        ("I'm going to kill myself", Risk("suicide", "imminent")),
        ("I want to die tonight, I have the pills", Risk("suicide", "imminent")),
        ("I WANT TO DIE!!!", Risk("suicide", "high")),
        ("sometimes i dont want to be alive", Risk("suicide", "high")),
        ("I don’t want to live anymore", Risk("suicide", "high")),
        ("There is no reason to live", Risk("suicide", "high")),
        ("suicidal thoughts again", Risk("suicide", "high")),
        ("I wish I was never… I wish I were dead", Risk("suicide", "high")),
        ("I can't go on", Risk("suicide", "concern")),
        ("self-harm", Risk("self_harm", "high")),
        ("He hits me when he drinks", Risk("violence", "high")),
        ("I want to kill my boss", Risk("harm_to_others", "concern")),
        ("I'm going to shoot up the school", Risk("harm_to_others", "high")),
    ],
)
def test_danger_is_detected(words, risk):
    assert detect_risk(words) == risk


@pytest.mark.parametrize(
    "words",
    [
        "",
        "This deadline is killing me",
        "I could kill for a coffee",
        "I'm dying to know how it ends",
        "I died laughing",
        "Then it hits me that I was wrong",
        "I cut a corner",
        "dead tired",
        "The suicide squad film was bad",
    ],
)
def test_figures_of_speech_are_no_risk(words):
    assert detect_risk(words) is None


@pytest.mark.parametrize(
    "words",
    [
        "k\u200bill m\u00adyself",
        "KILL MYSELF",
        "ｋｉｌｌ ｍｙｓｅｌｆ",
        "𝐤𝐢𝐥𝐥 𝐦𝐲𝐬𝐞𝐥𝐟",
        "kiiiill myyyself",
        "k1ll mys3lf",
        "kіll mуѕelf",
        "k i l l m y s e l f",
        "k.i.l.l m.y.s.e.l.f",
        "kíll mÿself",
        "kill\nmyself",
        "kill my self",
        "#killmyself",
        "kill fucking myself",
        "k\u0336i\u0336l\u0336l\u0336 myself",
    ],
    ids=ascii,
)
def test_obfuscated_spelling_is_detected(words):
    assert detect_risk(words) == Risk("suicide", "high")


@pytest.mark.parametrize(
    ("stated", "negated"),
    [
        ("I want to die", "I don't want to die"),
        ("I want to kill myself", "I would never kill myself"),
        ("I'm going to kill myself tonight", "I'm not going to kill myself tonight"),
        ("I am suicidal", "I am not suicidal"),
        ("I think I want to die", "I don't think I want to die"),
    ],
)
def test_a_negated_sign_about_oneself_is_a_concern(stated, negated):
    assert detect_risk(stated).severity in {"high", "imminent"}
    assert detect_risk(negated) == Risk("suicide", "concern")


@pytest.mark.parametrize(
    "words",
    [
        "I can't stop wanting to die",
        "Why not just kill myself",
        "I don't know if I want to die",
        "I don't feel well and I want to die",
        "Not a good day. I want to die",
        "Nobody cares, I want to die",
    ],
)
def test_a_negation_of_other_words_does_not_negate_the_sign(words):
    assert detect_risk(words) == Risk("suicide", "high")


@pytest.mark.parametrize(
    "words", ["I would never hurt my baby", "He never hits me", "My sister doesn't want to kill herself"]
)
def test_negated_violence_and_negated_signs_about_others_are_no_risk(words):
    assert detect_risk(words) is None


@pytest.mark.parametrize(
    "words",
    [
        "My brother wants to kill himself",
        "My best friend told me she wants to die",
        "He hits my sister",
        "I think my student is suicidal",
        "They said they don't want to live anymore",
    ],
)
def test_danger_to_a_third_person_has_the_subject_other(words):
    assert detect_risk(words) == Risk("somebody_else", "high", "other")


@pytest.mark.parametrize(
    "words",
    [
        "My mum makes me want to die",
        "My brother died and I want to die",
        "I told my sister that I want to die",
        "They would be better off without me",
    ],
)
def test_naming_other_people_keeps_the_subject_self(words):
    assert detect_risk(words) == Risk("suicide", "high")


def test_the_gravest_risk_is_returned():
    assert detect_risk("He hits me. I cut myself. I'm going to end it all tonight.").severity == "imminent"
    assert detect_risk("My friend wants to die and I want to die").subject == "self"


def test_a_risk_contains_no_text_of_the_message():
    assert set(Risk.__dataclass_fields__) == {"category", "severity", "subject", "language"}


def test_similar_words_are_distinguished():
    assert detect_risk("I'm proud of myself") is None
    assert detect_risk("I want to off myself") == Risk("suicide", "high")
    assert detect_risk("I'll be dead soon").subject == "self"


@pytest.mark.parametrize("locale", ["en", "de-CH", "pt-BR", ""])
@pytest.mark.parametrize(
    ("words", "language"),
    [
        ("Ich möchte mich umbringen", "de"),
        ("Ich will nicht mehr leben.", "de"),
        ("My boss said no. Ich bringe mich um.", "de"),
        ("I want to kill myself", "en"),
        ("Mein Tag war gut, but I want to end my life", "en"),
    ],
)
def test_danger_is_found_in_every_language_whatever_the_locale(locale, words, language):
    found = detect_risk(words, locale)
    assert (found.category, found.subject, found.language) == ("suicide", "self", language)


def test_a_locale_without_lexicon_changes_nothing():
    assert detect_risk("I want to die", "pt-BR") == detect_risk("I want to die")
    assert detect_risk("I want to die", "../../etc/passwd") == detect_risk("I want to die")


@given(
    st.text(st.characters() | st.sampled_from("die kill myself not nicht will sterben .,'1"), max_size=300)
)
def test_any_text_is_accepted(text):
    for language in bundled_languages():
        found = detect_risk(text, language)
        assert found is None or isinstance(found, Risk)


@pytest.mark.parametrize(
    "unit",
    [
        "want to die ",
        "not ",
        "he hits my ",
        "bringe mich ",
        "ich will ",
        "angst ",
        "a ",
        "a_",
        "\ufdfa",
        "die. ",
    ],
    ids=ascii,
)
@pytest.mark.parametrize("language", sorted(bundled_languages()))
def test_the_number_of_matches_grows_linearly_with_the_text(language, unit):
    def matches(length: int) -> int:
        tokens = tokenize((unit * length)[:length])
        words = [word for token in tokens for word in lexicon(language).canonical_words(token)]
        return len(lexicon(language).signs.find(words)) + len(find_risks(lexicon(language), tokens))

    assert matches(8000) <= 2 * matches(4000) + 50
