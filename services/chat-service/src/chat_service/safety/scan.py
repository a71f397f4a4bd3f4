"""Reads a message with one lexicon: what its phrases mean where they stand."""

from bisect import bisect_left
from collections.abc import Iterator
from dataclasses import dataclass, field

from chat_service.safety.lexicon import Lexicon, Meaning
from chat_service.safety.phrases import Span
from chat_service.safety.risk import Risk, Subject

NEGATION_REACH = 3
"""How many words may stand between a negation and what it denies."""
ACUTE_REACH = 12
"""How many words around a sign are searched for a time, a means or a plan."""
_SENTENCE_ENDS = frozenset(".!?;\n")
_PAUSES = frozenset(",:()")
_DENIED_IS_NOTHING = frozenset({"violence", "harm_to_others"})


@dataclass(slots=True)
class _Message:
    """Words in a lexicon's forms; for each, the part of a sentence it is in and whom it speaks of."""

    words: list[str] = field(default_factory=list)
    clauses: list[int] = field(default_factory=list)
    people: list[Subject | None] = field(default_factory=list)
    spoken_of: list[Subject | None] = field(default_factory=list)


def risks(lexicon: Lexicon, tokens: list[str]) -> Iterator[Risk]:
    """Every danger that these tokens of a message speak of, in no order."""
    message = _read(lexicon, tokens)
    found: dict[str, list[Span[Meaning]]] = {}
    for span in lexicon.phrases.find(message.words):
        found.setdefault(span.meaning.kind, []).append(span)
    if "sign" not in found:
        return
    idle = _covered(message, found.get("idiom", []))
    idle_negations = _covered(message, found.get("no_negation", []))
    negated = _negated(message, [n for n in found.get("negation", []) if not _touches(n, idle_negations)])
    acute = sorted({span.start for span in found.get("acute", []) if not _touches(span, idle)})
    for sign in found["sign"]:
        if not _touches(sign, idle):
            risk = _risk(message, sign, negated, acute)
            if risk is not None:
                yield risk


def _read(lexicon: Lexicon, tokens: list[str]) -> _Message:
    message, clause, person = _Message(), 0, None
    for token in tokens:
        if token in _SENTENCE_ENDS:
            clause, person = clause + 1, None
        elif token in _PAUSES:
            clause += 1
        else:
            for word in lexicon.forms.get(token, (token,)):
                clause += word in lexicon.breaks
                named = lexicon.people.get(word)
                person = named or person
                message.words.append(word)
                message.clauses.append(clause)
                message.people.append(named)
                message.spoken_of.append(person)
    return message


def _covered(message: _Message, spans: list[Span[Meaning]]) -> bytearray:
    """Marks the words that belong to one of the spans."""
    marks = bytearray(len(message.words))
    for span in spans:
        marks[span.start : span.end] = b"\1" * (span.end - span.start)
    return marks


def _touches(span: Span[Meaning], marks: bytearray) -> bool:
    return any(marks[span.start : span.end])


def _negated(message: _Message, negations: list[Span[Meaning]]) -> bytearray:
    """Marks each word that a negation reaches: in its part of the sentence, up to the next person."""
    marks = bytearray(len(message.words))
    for negation in negations:
        last = negation.end - 1
        marks[last] = 1
        for at in range(negation.end, min(negation.end + NEGATION_REACH + 1, len(message.words))):
            if message.clauses[at] != message.clauses[last]:
                break
            marks[at] = 1
            if message.people[at] is not None:
                break
    return marks


def _risk(message: _Message, sign: Span[Meaning], negated: bytearray, acute: list[int]) -> Risk | None:
    meaning = sign.meaning
    named = sign.start if meaning.about == "actor" else sign.end - 1
    subject = message.spoken_of[named] or "self"
    severity = meaning.severity
    if _denied(message, sign, negated):
        if severity == "concern" or subject == "other" or meaning.category in _DENIED_IS_NOTHING:
            return None
        severity = "concern"
    elif severity == "high" and _near(acute, sign):
        severity = "imminent"
    return Risk("somebody_else" if subject == "other" else meaning.category, severity, subject)


def _denied(message: _Message, sign: Span[Meaning], negated: bytearray) -> bool:
    """Whether a negation reaches its first word from before, or stands in its gaps."""
    from_before = sign.start > 0 and negated[sign.start] and negated[sign.start - 1]
    return bool(from_before) or any(negated[at] for at in sign.gaps)


def _near(acute: list[int], sign: Span[Meaning]) -> bool:
    at = bisect_left(acute, sign.start - ACUTE_REACH)
    return at < len(acute) and acute[at] < sign.end + ACUTE_REACH
