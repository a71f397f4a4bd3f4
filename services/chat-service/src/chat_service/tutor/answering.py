"""Answers a question with sentences of the lessons, or declines when no sentence answers it.

The thresholds were chosen with 54 questions about two courses: the Open edX
demo course (58 lessons, 225 passages) and a small one. All 28 questions that
the lessons answer are above the thresholds; 24 of the 26 others are below, and
the other two ask about the demo course's own subject. Of 18 questions about a
third course, asked afterwards, 9 of 11 were answered and 6 of 7 declined.
"""

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass

from chat_service.embedding import embed
from chat_service.phrase_matching import tokens
from chat_service.safety.detection.risk import Risk
from chat_service.safety.help.places import help_locale, help_text, resources
from chat_service.tutor.courses_client import Course
from chat_service.tutor.lesson_repository import FoundPassage, Question
from chat_service.tutor.passages import sentences
from chat_service.tutor.replies import Citation, TutorReply

MIN_SIMILARITY = 0.28
MIN_COVERAGE = 0.2
MIN_SUM = 0.65
SUFFICIENT_COVERAGE = 0.8
"""From this coverage on, similarity is ignored: word embeddings represent names badly."""

MIN_SCORE = 0.35
"""Lowest score of a sentence in an answer. A passage above the thresholds may have no such sentence."""
MAX_SENTENCES = 3
MIN_PART_OF_BEST_SCORE = 0.7
"""Further sentences need at least this part of the best score."""

_OPENING_BONUS = 0.15
"""The first sentence of a lesson usually says what the lesson is about."""
_SHARED_WORDS = 0.3
_STEM_LETTERS = 5
_FULL_SCORE_WORDS = 14
"""Shorter sentences get a lower score, because headings and calls to action resemble any question."""
_SENTENCE_WORDS = range(5, 61)
_SUGGESTED_LESSONS = 3
_REFERENCE = re.compile(r"\(\d{4}\), [“\"]")


@dataclass(frozen=True)
class Statement:
    """A sentence of the answer and its passage. `opens_lesson`: it is the first sentence of its lesson."""

    sentence: str
    source: FoundPassage
    opens_lesson: bool


def is_about(passage: FoundPassage) -> bool:
    """Whether a passage is close enough to the question to answer it."""
    close = (
        passage.similarity >= MIN_SIMILARITY
        and passage.coverage >= MIN_COVERAGE
        and passage.similarity + passage.coverage >= MIN_SUM
    )
    return close or passage.coverage >= SUFFICIENT_COVERAGE


def statements(question: Question, passages: Sequence[FoundPassage]) -> list[Statement]:
    """Return the sentences that answer best, in the order of the course; empty when none does."""
    candidates = [
        Statement(sentence, found, found.opens_lesson and position == 0)
        for found in passages
        if is_about(found)
        for position, sentence in enumerate(sentences(found.passage))
        if _is_statement(sentence)
    ]
    if not candidates:
        return []
    scores = _scores(question, candidates)
    ranked = sorted(range(len(candidates)), key=lambda index: -scores[index])[:MAX_SENTENCES]
    enough = max(MIN_SCORE, MIN_PART_OF_BEST_SCORE * scores[ranked[0]])
    good = [index for index in ranked if scores[index] >= enough]
    return [candidates[index] for index in sorted(good, key=lambda i: (candidates[i].source.number, i))]


def build_reply(
    course: Course,
    found: Sequence[FoundPassage],
    answers: Sequence[Statement],
    risk: Risk | None,
    locale: str,
) -> TutorReply:
    """Write the answer with numbered citations, or decline where there is no statement.

    With a risk, help places come first, and the question is answered all the
    same. `locale`: the user's, for the region of the places.
    """
    shown = help_locale(locale, risk) if risk is not None else None
    sources = list(dict.fromkeys(statement.source for statement in answers))
    answer = _cited(answers, sources) if answers else _decline(course, found)
    return TutorReply(
        resources=resources(shown) if shown else [],
        answer=f"{help_text(shown, risk)}\n\n{answer}" if shown else answer,
        answered=bool(answers),
        citations=[
            Citation(
                number=number,
                lesson_id=source.lesson_id,
                lesson_title=source.lesson_title,
                passage=source.passage,
            )
            for number, source in enumerate(sources, start=1)
        ],
    )


def _cited(answers: Sequence[Statement], sources: list[FoundPassage]) -> str:
    return " ".join(f"{statement.sentence} [{sources.index(statement.source) + 1}]" for statement in answers)


def _decline(course: Course, found: Sequence[FoundPassage]) -> str:
    titles = list(dict.fromkeys(passage.lesson_title for passage in found))[:_SUGGESTED_LESSONS]
    sorry = f"I find no answer to that in the lessons of “{course.title}”, and I don't guess."
    if not titles:
        return f"{sorry} The course has no lessons with text yet."
    examples = ", ".join(f"“{title}”" for title in titles)
    return f"{sorry} You can ask me about anything they cover, for example {examples}."


def _is_statement(sentence: str) -> bool:
    """Whether it is a statement: no heading, question, start of a list or entry of a bibliography."""
    long_enough = len(sentence.split()) in _SENTENCE_WORDS
    return long_enough and sentence[-1] not in ":?" and _REFERENCE.search(sentence) is None


def _scores(question: Question, candidates: Sequence[Statement]) -> list[float]:
    """Score sentences by their similarity, that of their passage, common words and their length."""
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
    length = math.sqrt(min(1.0, len(candidate.sentence.split()) / _FULL_SCORE_WORDS))
    return (closeness + _SHARED_WORDS * shared + bonus) * length


def _stems(text: str) -> set[str]:
    """Return the first letters of longer words; a simple way to treat "tested" and "testing" alike."""
    return {word[:_STEM_LETTERS] for word in tokens(text) if len(word) >= _STEM_LETTERS}


def _dot(left: Sequence[float], right: Sequence[float]) -> float:
    return sum(a * b for a, b in zip(left, right, strict=True))
