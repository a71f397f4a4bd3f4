"""How much the safety check finds, over labeled sentences. It may become better, not worse.

`data/safety/` says what every sentence should give and, where the check
misses, what it does give. Whoever improves the lexicon by the sentences of
`unseen` moves them to `worked_with`, and writes others.
"""

from collections import Counter
from pathlib import Path

import pytest
import yaml

from chat_service.safety.detection.check import check

DATA = Path(__file__).parent / "data" / "safety"
LABELED = {
    path.stem: yaml.safe_load(path.read_text(encoding="utf-8")) for path in sorted(DATA.glob("*.yaml"))
}
PARTS = [(locale, part) for locale, parts in LABELED.items() for part in parts]
FLOORS = {
    ("en", "worked_with"): (0.99, 0.96),
    ("en", "unseen"): (0.95, 0.76),
    ("de", "worked_with"): (0.99, 0.99),
    ("de", "unseen"): (0.96, 0.86),
}
"""Precision and recall of finding anything at all, as measured and rounded down."""


def sentences(locale, part):
    """Each sentence, what it should give, and what it is known to give."""
    for label, group in LABELED[locale][part].items():
        for entry in group:
            known = entry if isinstance(entry, dict) else {"text": entry, "gets": label}
            yield known["text"], label, known["gets"]


def found_in(words, locale):
    risk = check(words, locale)
    return f"{risk.category} {risk.severity} {risk.subject}" if risk else "none"


@pytest.mark.parametrize(("locale", "part"), PARTS)
def test_every_sentence_gives_what_it_is_known_to_give(locale, part):
    changed = {
        words: (known, found)
        for words, _, known in sentences(locale, part)
        if (found := found_in(words, locale)) != known
    }
    assert not changed, (
        "sentences with what they gave and what they give now: correct the file, or the lexicon"
    )


@pytest.mark.parametrize(("locale", "part"), PARTS)
def test_no_less_is_found_than_was_measured(locale, part):
    counts = Counter(
        (label != "none", found_in(words, locale) != "none") for words, label, _ in sentences(locale, part)
    )
    hits, needless, missed = counts[True, True], counts[False, True], counts[True, False]
    precision, recall = FLOORS[locale, part]
    assert hits / (hits + needless) >= precision
    assert hits / (hits + missed) >= recall


def test_no_sentence_is_labeled_twice():
    written = [words for locale, part in PARTS for words, _, _ in sentences(locale, part)]
    assert [words for words, times in Counter(written).items() if times > 1] == []
    assert len(written) >= 150


@pytest.mark.parametrize("locale", LABELED)
def test_english_is_heard_in_every_locale(locale):
    assert found_in("I want to die", locale) == "suicide high self"
    assert found_in("Ich will sterben", "de-CH") == "suicide high self"
