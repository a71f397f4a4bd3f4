"""Reads a message with one lexicon: what its phrases mean where they stand."""

from bisect import bisect_left
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from chat_service.safety.detection.lexicon import Context, Lexicon, Person, Sign
from chat_service.safety.detection.phrase_trie import Span
from chat_service.safety.detection.risk import Risk, Subject

NEGATION_REACH = 3
"""How many words may stand between a negation and what it denies."""
REACH = 12
"""How many words around a sign are searched for a time, a means or a plan, or for a story that it is from."""
_SENTENCE_ENDS = frozenset(".!?;\n")
_MARKS = _SENTENCE_ENDS | frozenset(",:()")
_DENIED_IS_NOTHING = frozenset({"violence", "harm_to_others"})


def risks(lexicon: Lexicon, tokens: Sequence[str]) -> list[Risk]:
    """Every danger that these tokens of a message speak of, in the order of the message."""
    forms = {token: lexicon.words(token) for token in set(tokens) - _MARKS}
    words = [word for token in tokens for word in forms.get(token, ())]
    signs = lexicon.signs.find(words)
    if not signs:
        return []
    message = _read(lexicon, tokens, forms)
    around = _around(message, lexicon.context.find(words))
    found = (_risk(message, sign, around) for sign in _outermost(signs))
    return [risk for risk in found if risk is not None]


@dataclass(slots=True)
class _Message:
    """For each word, the part of a sentence it is in, whom it names, and whom the sentence named last."""

    sentences: list[int] = field(default_factory=list)
    clauses: list[int] = field(default_factory=list)
    people: list[Person | None] = field(default_factory=list)
    spoken_of: list[Subject | None] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class _Around:
    """What else the message holds, by word: whether it is denied; what the idioms it belongs to reach.

    `acute` and `stories` are where such phrases begin, in order.
    """

    negated: bytearray
    idioms: dict[int, tuple[int, int]]
    acute: list[int]
    stories: list[int]


def _read(lexicon: Lexicon, tokens: Sequence[str], forms: Mapping[str, Sequence[str]]) -> _Message:
    message, clause, sentence, person = _Message(), 0, 0, None
    for token in tokens:
        if token in _MARKS:
            clause += 1
            if token in _SENTENCE_ENDS:
                sentence, person = sentence + 1, None
            continue
        for word in forms[token]:
            clause += word in lexicon.breaks
            named = lexicon.people.get(word)
            if named is not None and named != "own":
                person = named
            message.sentences.append(sentence)
            message.clauses.append(clause)
            message.people.append(named)
            message.spoken_of.append(person)
    return message


def _around(message: _Message, spans: Sequence[Span[Context]]) -> _Around:
    found: dict[Context, list[Span[Context]]] = {}
    for span in spans:
        found.setdefault(span.meaning, []).append(span)
    idioms = _reach(found.get("idiom", []))
    idle = _reach(found.get("no_negation", []))
    return _Around(
        negated=_negated(message, [n for n in found.get("negation", []) if not _touches(n, idle)]),
        idioms=idioms,
        acute=sorted({span.start for span in found.get("acute", []) if not _touches(span, idioms)}),
        stories=sorted({span.start for span in found.get("story", [])}),
    )


def _reach(spans: list[Span[Context]]) -> dict[int, tuple[int, int]]:
    """For each word in one of the spans, where those that hold it begin and end."""
    reach: dict[int, tuple[int, int]] = {}
    for span in spans:
        for at in range(span.start, span.end):
            start, end = reach.get(at, (span.start, span.end))
            reach[at] = min(start, span.start), max(end, span.end)
    return reach


def _touches(span: Span[Context], reach: dict[int, tuple[int, int]]) -> bool:
    return any(at in reach for at in range(span.start, span.end))


def _negated(message: _Message, negations: list[Span[Context]]) -> bytearray:
    """Marks each word that a negation reaches: in its part of the sentence, up to the next person."""
    marks = bytearray(len(message.people))
    for negation in negations:
        last = negation.end - 1
        marks[last] = 1
        for at in range(negation.end, min(negation.end + NEGATION_REACH + 1, len(marks))):
            if message.clauses[at] != message.clauses[last]:
                break
            marks[at] = 1
            if message.people[at] in ("self", "other"):
                break
    return marks


def _outermost(signs: list[Span[Sign]]) -> Iterator[Span[Sign]]:
    """Without those that are part of a longer one: it knows better what they mean there."""
    reached, widest = 0, (0, 0)
    for sign in sorted(signs, key=lambda sign: (sign.start, -sign.end)):
        program_session = (sign.start, sign.end)
        if sign.end > reached:
            reached, widest = sign.end, program_session
            yield sign
        elif program_session == widest:
            yield sign


def _risk(message: _Message, sign: Span[Sign], around: _Around) -> Risk | None:
    category, severity, person = sign.meaning.category, sign.meaning.severity, _person(message, sign)
    if _figurative(sign, around.idioms) or (person != "self" and _near(around.stories, sign)):
        return None
    subject = person or "self"
    if _denied(sign, around.negated):
        if severity == "concern" or subject == "other" or category in _DENIED_IS_NOTHING:
            return None
        severity = "concern"
    elif severity == "high" and _near(around.acute, sign, outside=True):
        severity = "imminent"
    return Risk("somebody_else" if subject == "other" else category, severity, subject)


def _person(message: _Message, sign: Span[Sign]) -> Subject | None:
    """The last person that the phrase names; else whoever is spoken of before it, or in its gaps."""
    before = _before(message, sign)
    between = [_subject(person) for at in sign.gaps if (person := message.people[at])]
    first_between = next(iter(between), None)
    if sign.meaning.about == "actor":
        return before or first_between
    named = (message.people[at] for at in reversed(range(sign.start, sign.end)) if at not in sign.gaps)
    own = next((_subject(person) for person in named if person), None)
    return own or ("self" if "self" in between else None) or before or first_between


def _subject(person: Person) -> Subject:
    return "other" if person == "other" else "self"


def _before(message: _Message, sign: Span[Sign]) -> Subject | None:
    """Whom the sentence spoke of last when the sign began."""
    last = sign.start - 1
    if last < 0 or message.sentences[last] != message.sentences[sign.start]:
        return None
    return message.spoken_of[last]


def _figurative(sign: Span[Sign], idioms: dict[int, tuple[int, int]]) -> bool:
    """Whether an idiom holds some of its words, unless the sign says all that the idiom does, and more."""
    touched = (idioms[at] for at in range(sign.start, sign.end) if at in idioms)
    return any(at in idioms for at in sign.gaps) or any(
        start < sign.start or end > sign.end or (start, end) == (sign.start, sign.end)
        for start, end in touched
    )


def _denied(sign: Span[Sign], negated: bytearray) -> bool:
    """Whether a negation reaches its first word from before, or stands in its gaps."""
    from_before = sign.start > 0 and negated[sign.start] and negated[sign.start - 1]
    return bool(from_before) or any(negated[at] for at in sign.gaps)


def _near(starts: list[int], sign: Span[Sign], *, outside: bool = False) -> bool:
    """Whether something begins around the sign; with `outside`, not within it."""
    around = starts[bisect_left(starts, sign.start - REACH) : bisect_left(starts, sign.end + REACH)]
    return any(not outside or not sign.start <= start < sign.end for start in around)
