"""Makes an answer of the lessons' own sentences, or finds that they hold none.

The thresholds were chosen by looking at 54 questions to two courses, the Open
edX demo course (58 lessons, 225 passages) and a small one. All 28 that the
lessons answer are above them, and 24 of 26 others below; those two ask about
the demo course's own subject. Of 18 questions to a third course, asked
afterwards, 9 of 11 were answered and 6 of 7 declined.
"""

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass

from chat_service.embedding import embed
from chat_service.phrase_matching import tokens
from chat_service.tutor.passages import sentences
from chat_service.tutor.search import Found, Question

MIN_SIMILARITY = 0.28
MIN_COVERAGE = 0.2
MIN_TOGETHER = 0.65
NEARLY_ALL_WORDS = 0.8
"""With this coverage the words decide alone: names mean little to word embeddings."""

MIN_SENTENCE = 0.35
"""A passage may be about the question without a sentence that answers it."""
MAX_SENTENCES = 3
NEARLY_AS_GOOD = 0.7
"""Further sentences are taken when they score this part of the best one."""

_OPENING_BONUS = 0.15
"""A lesson's first sentence usually says what it is about."""
_SHARED_WORDS = 0.3
_STEM_LETTERS = 5
_PLAIN_WORDS = 14
"""Shorter sentences are scored down: headings and calls to action resemble any question."""
_SENTENCE_WORDS = range(5, 61)
_REFERENCE = re.compile(r"\(\d{4}\), [“\"]")


@dataclass(frozen=True)
class Statement:
    """A sentence and the passage it comes from; `opens_lesson` for the first one of a lesson."""

    sentence: str
    source: Found
    opens_lesson: bool


def is_about(found: Found) -> bool:
    """Whether the passage is close enough to the question to answer it."""
    close = (
        found.similarity >= MIN_SIMILARITY
        and found.coverage >= MIN_COVERAGE
        and found.similarity + found.coverage >= MIN_TOGETHER
    )
    return close or found.coverage >= NEARLY_ALL_WORDS


def statements(question: Question, passages: Sequence[Found]) -> list[Statement]:
    """The sentences that answer best, in the order of the course; empty when nothing does."""
    candidates = [
        Statement(sentence, found, found.opens_lesson and position == 0)
        for found in passages
        if is_about(found)
        for position, sentence in enumerate(sentences(found.passage))
        if _says_something(sentence)
    ]
    if not candidates:
        return []
    scores = _scores(question, candidates)
    ranked = sorted(range(len(candidates)), key=lambda index: -scores[index])[:MAX_SENTENCES]
    enough = max(MIN_SENTENCE, NEARLY_AS_GOOD * scores[ranked[0]])
    good = [index for index in ranked if scores[index] >= enough]
    return [candidates[index] for index in sorted(good, key=lambda i: (candidates[i].source.number, i))]


def _says_something(sentence: str) -> bool:
    """Not a heading, a question, the beginning of a list or an entry of a bibliography."""
    long_enough = len(sentence.split()) in _SENTENCE_WORDS
    return long_enough and sentence[-1] not in ":?" and _REFERENCE.search(sentence) is None


def _scores(question: Question, candidates: Sequence[Statement]) -> list[float]:
    """Closeness of the sentence and of its passage, and words in common; less for short sentences."""
    vectors = embed([candidate.sentence for candidate in candidates])
    stems = _stems(question.text)
    return [
        _score(candidate, _dot(question.vector, vector), stems)
        for vector, candidate in zip(vectors, candidates, strict=True)
    ]


def _score(candidate: Statement, similarity: float, stems: set[str]) -> float:
    closeness = (similarity + candidate.source.similarity) / 2
    shared = len(stems & _stems(candidate.sentence)) / max(len(stems), 1)
    bonus = _OPENING_BONUS if candidate.opens_lesson else 0.0
    length = math.sqrt(min(1.0, len(candidate.sentence.split()) / _PLAIN_WORDS))
    return (closeness + _SHARED_WORDS * shared + bonus) * length


def _stems(text: str) -> set[str]:
    """The longer words, cut to their beginnings: a crude way to count "tested" and "testing" as one."""
    return {word[:_STEM_LETTERS] for word in tokens(text) if len(word) >= _STEM_LETTERS}


def _dot(one: Sequence[float], other: Sequence[float]) -> float:
    return sum(a * b for a, b in zip(one, other, strict=True))
