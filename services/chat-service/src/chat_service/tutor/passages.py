"""Splits lessons into passages, long enough to be understood alone and short enough to be cited."""

import re
from collections.abc import Iterator

PASSAGE_WORDS = 90
"""Paragraphs are joined up to about this length; longer ones are split between sentences."""

_SENTENCE_END = re.compile(r"(?:(?<=[.!?])|(?<=[.!?][\"”’')\]]))\s+(?=[\"“‘'(\[]?[A-Z0-9À-Þ])")
_ABBREVIATION = re.compile(r"(?:\b(?:e\.g|i\.e|etc|vs|Dr|Mr|Mrs|Ms|No|Fig|cf)|\b[A-Z])\.$")


def passages(text: str) -> list[str]:
    """Return the passages of a lesson in order. Together they contain every word of it."""
    found: list[list[str]] = []
    for piece in _pieces(text):
        if found and _words(found[-1]) + len(piece.split()) <= PASSAGE_WORDS:
            found[-1].append(piece)
        else:
            found.append([piece])
    return ["\n".join(pieces) for pieces in found]


def sentences(text: str) -> list[str]:
    """Split a text into sentences. A line break also ends a sentence."""
    found: list[str] = []
    for line in text.splitlines():
        pending = ""
        for part in _SENTENCE_END.split(line.strip()):
            pending = f"{pending} {part}".strip()
            if pending and not _ABBREVIATION.search(pending):
                found.append(pending)
                pending = ""
        if pending:
            found.append(pending)
    return found


def _pieces(text: str) -> Iterator[str]:
    """Yield paragraphs; long ones are split between sentences, and long sentences between words."""
    for paragraph in re.split(r"\n\s*\n", text):
        part: list[str] = []
        for sentence in sentences(" ".join(paragraph.split())):
            for piece in _cut(sentence):
                if part and _words(part) + len(piece.split()) > PASSAGE_WORDS:
                    yield " ".join(part)
                    part = []
                part.append(piece)
        if part:
            yield " ".join(part)


def _cut(sentence: str) -> Iterator[str]:
    words = sentence.split()
    for start in range(0, len(words), PASSAGE_WORDS):
        yield " ".join(words[start : start + PASSAGE_WORDS])


def _words(pieces: list[str]) -> int:
    return sum(len(piece.split()) for piece in pieces)
