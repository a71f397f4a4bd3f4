"""The safety check: finds signs of danger in a message and decides from their context what they mean.

Runs at the start of every turn. It never blocks and never drops a message. In
doubt it reports a risk: showing help to a person who does not need it costs
little, and missing one who does may cost a life.
"""

from bisect import bisect_left
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from chat_service.safety.detection.lexicon import ContextKind, DangerSign, Lexicon, PersonWord, lexicons
from chat_service.safety.detection.normalization import tokenize
from chat_service.safety.detection.phrase_trie import PhraseMatch
from chat_service.safety.detection.risk import Risk, Subject

NEGATION_REACH_WORDS = 3
"""The greatest number of words between a negation and the word that it negates."""
CONTEXT_REACH_WORDS = 12
"""How many words around a sign are searched for `acute` and `story` phrases."""
_SENTENCE_ENDS = frozenset(".!?;\n")
_PUNCTUATION = _SENTENCE_ENDS | frozenset(",:()")
_NO_RISK_WHEN_NEGATED = frozenset({"violence", "harm_to_others"})


def detect_risk(text: str, locale: str = "en") -> Risk | None:
    """Return the gravest risk in a message, searched with the lexicons of all languages.

    `locale` decides nothing but the language of a risk that two lexicons find alike.
    """
    tokens = tokenize(text)
    found = (
        replace(risk, language=language)
        for language, lexicon in lexicons(locale).items()
        for risk in find_risks(lexicon, tokens)
    )
    return max(found, key=lambda risk: risk.rank, default=None)


def find_risks(lexicon: Lexicon, tokens: Sequence[str]) -> list[Risk]:
    """Return every risk that one lexicon finds, in the order of the message."""
    forms = {token: lexicon.canonical_words(token) for token in set(tokens) - _PUNCTUATION}
    words = [word for token in tokens for word in forms.get(token, ())]
    signs = lexicon.signs.find(words)
    if not signs:
        return []
    structure = _structure(lexicon, tokens, forms)
    context = _context(structure, lexicon.context.find(words))
    found = (_risk(structure, sign, context) for sign in _outermost(signs))
    return [risk for risk in found if risk is not None]


@dataclass(slots=True)
class _Structure:
    """For each word of a message: its sentence, its clause, the person that it names, and the person whom
    its sentence named last, up to and including it."""

    sentences: list[int] = field(default_factory=list)
    clauses: list[int] = field(default_factory=list)
    people: list[PersonWord | None] = field(default_factory=list)
    last_named: list[Subject | None] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class _Context:
    """Context phrases of a message by word position.

    `negated` is 1 at each negated word. `idioms` maps each word inside an
    idiom to the idiom's start and end. `acute` and `stories` are the sorted
    start positions of such phrases.
    """

    negated: bytearray
    idioms: dict[int, tuple[int, int]]
    acute: list[int]
    stories: list[int]


def _structure(lexicon: Lexicon, tokens: Sequence[str], forms: Mapping[str, Sequence[str]]) -> _Structure:
    structure, clause, sentence, person = _Structure(), 0, 0, None
    for token in tokens:
        if token in _PUNCTUATION:
            clause += 1
            if token in _SENTENCE_ENDS:
                sentence, person = sentence + 1, None
            continue
        for word in forms[token]:
            clause += word in lexicon.breaks
            named = lexicon.people.get(word)
            if named is not None and named != "own":
                person = named
            structure.sentences.append(sentence)
            structure.clauses.append(clause)
            structure.people.append(named)
            structure.last_named.append(person)
    return structure


def _context(structure: _Structure, matches: Sequence[PhraseMatch[ContextKind]]) -> _Context:
    found: dict[ContextKind, list[PhraseMatch[ContextKind]]] = {}
    for match in matches:
        found.setdefault(match.value, []).append(match)
    idioms = _extents(found.get("idiom", []))
    no_negations = _extents(found.get("no_negation", []))
    negations = [match for match in found.get("negation", []) if not _overlaps(match, no_negations)]
    return _Context(
        negated=_negated(structure, negations),
        idioms=idioms,
        acute=sorted({match.start for match in found.get("acute", []) if not _overlaps(match, idioms)}),
        stories=sorted({match.start for match in found.get("story", [])}),
    )


def _extents(matches: list[PhraseMatch[ContextKind]]) -> dict[int, tuple[int, int]]:
    """Map each word inside a match to the start and end of all matches that contain the word."""
    extents: dict[int, tuple[int, int]] = {}
    for match in matches:
        for at in range(match.start, match.end):
            start, end = extents.get(at, (match.start, match.end))
            extents[at] = min(start, match.start), max(end, match.end)
    return extents


def _overlaps(match: PhraseMatch[ContextKind], extents: dict[int, tuple[int, int]]) -> bool:
    return any(at in extents for at in range(match.start, match.end))


def _negated(structure: _Structure, negations: list[PhraseMatch[ContextKind]]) -> bytearray:
    """Mark the words that a negation reaches: the following ones in its clause, up to the next person."""
    marks = bytearray(len(structure.people))
    for negation in negations:
        last = negation.end - 1
        marks[last] = 1
        for at in range(negation.end, min(negation.end + NEGATION_REACH_WORDS + 1, len(marks))):
            if structure.clauses[at] != structure.clauses[last]:
                break
            marks[at] = 1
            if structure.people[at] in ("self", "other"):
                break
    return marks


def _outermost(signs: list[PhraseMatch[DangerSign]]) -> Iterator[PhraseMatch[DangerSign]]:
    """Drop signs that lie inside a longer one; the longer phrase describes the danger more exactly."""
    reached, widest = 0, (0, 0)
    for sign in sorted(signs, key=lambda sign: (sign.start, -sign.end)):
        extent = (sign.start, sign.end)
        if sign.end > reached:
            reached, widest = sign.end, extent
            yield sign
        elif extent == widest:
            yield sign


def _risk(structure: _Structure, sign: PhraseMatch[DangerSign], context: _Context) -> Risk | None:
    category, severity, person = sign.value.category, sign.value.severity, _subject(structure, sign)
    if _in_idiom(sign, context.idioms) or (person != "self" and _near(context.stories, sign)):
        return None
    subject = person or "self"
    if _is_negated(sign, context.negated):
        if severity == "concern" or subject == "other" or category in _NO_RISK_WHEN_NEGATED:
            return None
        severity = "concern"
    elif severity == "high" and _near(context.acute, sign, outside=True):
        severity = "imminent"
    return Risk("somebody_else" if subject == "other" else category, severity, subject)


def _subject(structure: _Structure, sign: PhraseMatch[DangerSign]) -> Subject | None:
    """Decide whose danger the sign means, by its subject rule. None where no person is named."""
    before = _named_before(structure, sign)
    in_gaps = [_as_subject(person) for at in sign.gaps if (person := structure.people[at])]
    first_in_gaps = next(iter(in_gaps), None)
    if sign.value.about == "actor":
        return before or first_in_gaps
    inside = (structure.people[at] for at in reversed(range(sign.start, sign.end)) if at not in sign.gaps)
    last_inside = next((_as_subject(person) for person in inside if person), None)
    return last_inside or ("self" if "self" in in_gaps else None) or before or first_in_gaps


def _as_subject(person: PersonWord) -> Subject:
    return "other" if person == "other" else "self"


def _named_before(structure: _Structure, sign: PhraseMatch[DangerSign]) -> Subject | None:
    """Return the person whom the sign's sentence named last before the sign."""
    last = sign.start - 1
    if last < 0 or structure.sentences[last] != structure.sentences[sign.start]:
        return None
    return structure.last_named[last]


def _in_idiom(sign: PhraseMatch[DangerSign], idioms: dict[int, tuple[int, int]]) -> bool:
    """Whether an idiom contains words of the sign, unless the sign contains the whole idiom and more."""
    touched = (idioms[at] for at in range(sign.start, sign.end) if at in idioms)
    return any(at in idioms for at in sign.gaps) or any(
        start < sign.start or end > sign.end or (start, end) == (sign.start, sign.end)
        for start, end in touched
    )


def _is_negated(sign: PhraseMatch[DangerSign], negated: bytearray) -> bool:
    """Whether a negation before the sign reaches its first word, or a gap of it is negated."""
    from_before = sign.start > 0 and negated[sign.start] and negated[sign.start - 1]
    return bool(from_before) or any(negated[at] for at in sign.gaps)


def _near(starts: list[int], sign: PhraseMatch[DangerSign], *, outside: bool = False) -> bool:
    """Whether a phrase starts near the sign. With `outside`, phrases that start within it do not count."""
    first = bisect_left(starts, sign.start - CONTEXT_REACH_WORDS)
    last = bisect_left(starts, sign.end + CONTEXT_REACH_WORDS)
    return any(not outside or not sign.start <= start < sign.end for start in starts[first:last])
