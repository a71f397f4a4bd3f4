"""Precision and recall of the safety check on labeled sentences must not fall.

Files in `data/safety/` label each sentence with the expected result and, where
the check is wrong, with its actual result (`gets`). The lexicons were improved
with the sentences in `worked_with` and never with those in `unseen`. To use
unseen sentences, move them to `worked_with` and write new unseen ones.
"""

from collections import Counter
from pathlib import Path

import pytest
import yaml

from chat_service.safety.detection.detector import detect_risk

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
"""Precision and recall of detecting any risk, as measured and rounded down."""


def sentences(locale, part):
    """Yield each sentence with its expected and its known actual result."""
    for label, group in LABELED[locale][part].items():
        for entry in group:
            known = entry if isinstance(entry, dict) else {"text": entry, "gets": label}
            yield known["text"], label, known["gets"]


def found_in(words, locale):
    risk = detect_risk(words, locale)
    return f"{risk.category} {risk.severity} {risk.subject}" if risk else "none"


@pytest.mark.parametrize(("locale", "part"), PARTS)
def test_every_sentence_gives_its_known_result(locale, part):
    changed = {
        words: (known, found)
        for words, _, known in sentences(locale, part)
        if (found := found_in(words, locale)) != known
    }
    assert not changed, "sentences with their known and their present result: correct the file or the lexicon"


@pytest.mark.parametrize(("locale", "part"), PARTS)
def test_precision_and_recall_stay_above_their_floors(locale, part):
    counts = Counter(
        (label != "none", found_in(words, locale) != "none") for words, label, _ in sentences(locale, part)
    )
    hits, false_alarms, missed = counts[True, True], counts[False, True], counts[True, False]
    precision, recall = FLOORS[locale, part]
    assert hits / (hits + false_alarms) >= precision
    assert hits / (hits + missed) >= recall


def test_no_sentence_is_labeled_twice():
    written = [words for locale, part in PARTS for words, _, _ in sentences(locale, part)]
    assert [words for words, times in Counter(written).items() if times > 1] == []
    assert len(written) >= 150


@pytest.mark.parametrize("locale", LABELED)
def test_english_signs_are_detected_in_every_locale(locale):
    assert found_in("I want to die", locale) == "suicide high self"
    assert found_in("Ich will sterben", "de-CH") == "suicide high self"
