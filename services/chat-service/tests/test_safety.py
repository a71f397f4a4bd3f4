"""The safety check: what it finds, and what it leaves alone."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chat_service.safety.detection.check import Risk, check
from chat_service.safety.detection.lexicon import bundled, lexicon
from chat_service.safety.detection.scan import risks
from chat_service.safety.detection.text import tokens


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
def test_danger_is_noticed(words, risk):
    assert check(words) == risk


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
def test_figures_of_speech_are_left_alone(words):
    assert check(words) is None


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
def test_the_way_of_typing_hides_nothing(words):
    assert check(words) == Risk("suicide", "high")


@pytest.mark.parametrize(
    ("said", "denied"),
    [
        ("I want to die", "I don't want to die"),
        ("I want to kill myself", "I would never kill myself"),
        ("I'm going to kill myself tonight", "I'm not going to kill myself tonight"),
        ("I am suicidal", "I am not suicidal"),
        ("I think I want to die", "I don't think I want to die"),
    ],
)
def test_a_denial_is_less_than_what_it_denies_and_still_shows_help(said, denied):
    assert check(said).severity in {"high", "imminent"}
    assert check(denied) == Risk("suicide", "concern")


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
def test_a_negation_of_something_else_denies_nothing(words):
    assert check(words) == Risk("suicide", "high")


@pytest.mark.parametrize(
    "words", ["I would never hurt my baby", "He never hits me", "My sister doesn't want to kill herself"]
)
def test_denied_violence_and_denials_about_others_are_nothing(words):
    assert check(words) is None


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
def test_somebody_elses_danger_is_told_from_ones_own(words):
    assert check(words) == Risk("somebody_else", "high", "other")


@pytest.mark.parametrize(
    "words",
    [
        "My mum makes me want to die",
        "My brother died and I want to die",
        "I told my sister that I want to die",
        "They would be better off without me",
    ],
)
def test_naming_others_leaves_ones_own_danger_ones_own(words):
    assert check(words) == Risk("suicide", "high")


def test_the_gravest_danger_counts():
    assert check("He hits me. I cut myself. I'm going to end it all tonight.").severity == "imminent"
    assert check("My friend wants to die and I want to die").subject == "self"


def test_a_finding_holds_no_word_of_the_message():
    assert set(Risk.__dataclass_fields__) == {"category", "severity", "subject"}


def test_words_that_only_look_alike_are_told_apart():
    assert check("I'm proud of myself") is None
    assert check("I want to off myself") == Risk("suicide", "high")
    assert check("I'll be dead soon").subject == "self"


def test_a_language_without_a_lexicon_is_read_in_english():
    assert check("I want to die", "pt-BR") == check("I want to die")
    assert check("I want to die", "../../etc/passwd") == check("I want to die")


@given(
    st.text(st.characters() | st.sampled_from("die kill myself not nicht will sterben .,'1"), max_size=300)
)
def test_any_text_can_be_read(text):
    for language in bundled():
        found = check(text, language)
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
@pytest.mark.parametrize("language", sorted(bundled()))
def test_twice_the_words_are_at_most_twice_the_work(language, unit):
    def spans(length: int) -> int:
        read = tokens((unit * length)[:length])
        words = [word for token in read for word in lexicon(language).words(token)]
        return len(lexicon(language).signs.find(words)) + len(risks(lexicon(language), read))

    assert spans(8000) <= 2 * spans(4000) + 50
