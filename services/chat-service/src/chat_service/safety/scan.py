"""Reads a message with one lexicon: what its phrases mean where they stand."""

from bisect import bisect_left
from collections.abc import Iterator
from dataclasses import dataclass, field

from chat_service.safety.lexicon import Lexicon, Meaning
from chat_service.safety.phrases import Span
from chat_service.safety.risk import Risk, Subject

NEGATION_REACH = 3
"""How many words may stand between a negation and what it denies."""
REACH = 12
"""How many words around a sign are searched for a time, a means or a plan, or for a story that it is from."""
_SENTENCE_ENDS = frozenset(".!?;\n")
_PAUSES = frozenset(",:()")
_DENIED_IS_NOTHING = frozenset({"violence", "harm_to_others"})


@dataclass(slots=True)
class _Message:
    """Words in a lexicon's forms; for each, the part of a sentence it is in and whom it speaks of."""

    words: list[str] = field(default_factory=list)
    clauses: list[int] = field(default_factory=list)
    sentences: list[int] = field(default_factory=list)
    people: list[Subject | None] = field(default_factory=list)
    spoken_of: list[Subject | None] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class _Around:
    """What else the message holds: a mark on each denied word, and where the others begin, in order."""

    negated: bytearray
    acute: list[int]
    stories: list[int]


def risks(lexicon: Lexicon, tokens: list[str]) -> Iterator[Risk]:
    """Every danger that these tokens of a message speak of, in no order."""
    message = _read(lexicon, tokens)
    found: dict[str, list[Span[Meaning]]] = {}
    for span in lexicon.phrases.find(message.words):
        found.setdefault(span.meaning.kind, []).append(span)
    if "sign" not in found:
        return
    idioms = found.get("idiom", [])
    idle = _covered(message, idioms)
    reach = _reach(message, idioms)
    idle_negations = _covered(message, found.get("no_negation", []))
    around = _Around(
        negated=_negated(message, [n for n in found.get("negation", []) if not _touches(n, idle_negations)]),
        acute=sorted({span.start for span in found.get("acute", []) if not _touches(span, idle)}),
        stories=sorted({span.start for span in found.get("story", [])}),
    )
    for sign in _outermost(found["sign"]):
        if not _figurative(sign, reach):
            risk = _risk(message, sign, around)
            if risk is not None:
                yield risk


def _read(lexicon: Lexicon, tokens: list[str]) -> _Message:
    message, clause, sentence, person = _Message(), 0, 0, None
    for token in tokens:
        if token in _SENTENCE_ENDS:
            clause, sentence, person = clause + 1, sentence + 1, None
        elif token in _PAUSES:
            clause += 1
        else:
            for word in lexicon.forms.get(token, (token,)):
                clause += word in lexicon.breaks
                named = lexicon.people.get(word)
                person = named or person
                message.words.append(word)
                message.clauses.append(clause)
                message.sentences.append(sentence)
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


def _reach(message: _Message, idioms: list[Span[Meaning]]) -> dict[int, tuple[int, int]]:
    """For each word of an idiom, where the idioms that hold it begin and end."""
    reach: dict[int, tuple[int, int]] = {}
    for idiom in idioms:
        for at in range(idiom.start, idiom.end):
            start, end = reach.get(at, (idiom.start, idiom.end))
            reach[at] = min(start, idiom.start), max(end, idiom.end)
    return reach


def _figurative(sign: Span[Meaning], reach: dict[int, tuple[int, int]]) -> bool:
    """Whether an idiom holds some of its words, unless the sign says more than the idiom."""
    touched = [reach[at] for at in range(sign.start, sign.end) if at in reach]
    return any(
        start < sign.start or end > sign.end or (start, end) == (sign.start, sign.end)
        for start, end in touched
    )


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


def _outermost(signs: list[Span[Meaning]]) -> Iterator[Span[Meaning]]:
    """Without those that are part of a longer one: it knows better what they mean there."""
    reached, widest = 0, (0, 0)
    for sign in sorted(signs, key=lambda sign: (sign.start, -sign.end)):
        place = (sign.start, sign.end)
        if sign.end > reached or place == widest:
            yield sign
            if sign.end > reached:
                reached, widest = sign.end, place


def _risk(message: _Message, sign: Span[Meaning], around: _Around) -> Risk | None:
    meaning, severity = sign.meaning, sign.meaning.severity
    person = _person(message, sign)
    if person != "self" and _near(around.stories, sign):
        return None
    subject = person or "self"
    if _denied(sign, around.negated):
        if severity == "concern" or subject == "other" or meaning.category in _DENIED_IS_NOTHING:
            return None
        severity = "concern"
    elif severity == "high" and _near(around.acute, sign, outside=True):
        severity = "imminent"
    return Risk("somebody_else" if subject == "other" else meaning.category, severity, subject)


def _person(message: _Message, sign: Span[Meaning]) -> Subject | None:
    """The last person that the phrase names; else whoever is spoken of before it, or in its gaps."""
    before = _before(message, sign)
    between = [person for at in sign.gaps if (person := message.people[at])]
    first_between = next(iter(between), None)
    if sign.meaning.about == "actor":
        return before or first_between
    named = (message.people[at] for at in reversed(range(sign.start, sign.end)) if at not in sign.gaps)
    own = next((person for person in named if person), None)
    return own or ("self" if "self" in between else None) or before or first_between


def _before(message: _Message, sign: Span[Meaning]) -> Subject | None:
    """Whom the sentence spoke of last when the sign began."""
    last = sign.start - 1
    if last < 0 or message.sentences[last] != message.sentences[sign.start]:
        return None
    return message.spoken_of[last]


def _denied(sign: Span[Meaning], negated: bytearray) -> bool:
    """Whether a negation reaches its first word from before, or stands in its gaps."""
    from_before = sign.start > 0 and negated[sign.start] and negated[sign.start - 1]
    return bool(from_before) or any(negated[at] for at in sign.gaps)


def _near(starts: list[int], sign: Span[Meaning], *, outside: bool = False) -> bool:
    """Whether something begins around the sign; with `outside`, not within it."""
    around = starts[bisect_left(starts, sign.start - REACH) : bisect_left(starts, sign.end + REACH)]
    return any(not outside or not sign.start <= start < sign.end for start in around)
