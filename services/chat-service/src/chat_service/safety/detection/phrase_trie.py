"""Finds thousands of phrases in one pass over the words of a message.

Multi-pattern matchers such as Aho-Corasick know no gaps between words and no
open ends, and these phrases need both; a trie over words has them and still
looks at each word a bounded number of times.
"""

import re
from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Generic, TypeVar

GAP_WORDS = 4
"""How many words `...` may stand for, none included."""

Meaning = TypeVar("Meaning")
_PIECE = re.compile(r"[()\[\]|]|<\w+>|[^\s()\[\]|<>]+")
_OPENING = {"(": ")", "[": "]"}
_CLOSING = frozenset(_OPENING.values())


@dataclass(frozen=True, slots=True)
class Span(Generic[Meaning]):
    """Words `start` to `end` (exclusive); `gaps` are those among them that the phrase doesn't name."""

    start: int
    end: int
    meaning: Meaning
    gaps: tuple[int, ...] = ()


@dataclass(slots=True)
class _Node(Generic[Meaning]):
    next: "dict[str, _Node[Meaning]]" = field(default_factory=dict)
    stems: "dict[str, _Node[Meaning]] | None" = None
    stem_lengths: tuple[int, ...] = ()
    gap: "_Node[Meaning] | None" = None
    meanings: tuple[Meaning, ...] = ()


class Phrases(Generic[Meaning]):
    """A trie over words. Phrases that share their beginning share its nodes."""

    def __init__(self) -> None:
        self._root: _Node[Meaning] = _Node()

    def add(self, words: Sequence[str], meaning: Meaning) -> None:
        """A word that ends in `*` may go on; the word `...` is a gap."""
        node = self._root
        for word in words:
            if word == "...":
                node.gap = node.gap or _Node()
                node = node.gap
            elif word.endswith("*"):
                node = _stem_node(node, word[:-1])
            else:
                node = node.next.get(word) or node.next.setdefault(word, _Node())
        if meaning not in node.meanings:
            node.meanings += (meaning,)

    def find(self, words: Sequence[str]) -> list[Span[Meaning]]:
        """Every occurrence of every phrase, overlapping ones too."""
        root, found = self._root, list[Span[Meaning]]()
        shortest = min(root.stem_lengths, default=1)
        beginnings = {stem[:shortest] for stem in root.stems or ()}
        for start, word in enumerate(words):
            node = root.next.get(word)
            # Most words begin no phrase, or one that ends right here: they are passed over quickly.
            if (node is not None and _leads_on(node, words, start + 1)) or word[:shortest] in beginnings:
                found += self._from(words, start)
        return found

    def _from(self, words: Sequence[str], start: int) -> list[Span[Meaning]]:
        found: list[Span[Meaning]] = []
        pending: list[tuple[_Node[Meaning], int, tuple[int, ...]]] = [(self._root, start, ())]
        while pending:
            node, at, gaps = pending.pop()
            found += [Span(start, at, meaning, gaps) for meaning in node.meanings]
            if node.gap is not None:
                last = min(at + GAP_WORDS, len(words))
                pending += [(node.gap, to, (*gaps, *range(at, to))) for to in range(at, last + 1)]
            if at < len(words):
                pending += [(following, at + 1, gaps) for following in _following(node, words[at])]
        return found


def _leads_on(node: _Node[Meaning], words: Sequence[str], at: int) -> bool:
    if node.meanings or node.gap is not None or node.stems is not None:
        return True
    return at < len(words) and words[at] in node.next


def _stem_node(node: _Node[Meaning], stem: str) -> _Node[Meaning]:
    node.stems = node.stems or {}
    node.stem_lengths = tuple({*node.stem_lengths, len(stem)})
    return node.stems.setdefault(stem, _Node())


def _following(node: _Node[Meaning], word: str) -> list[_Node[Meaning]]:
    """Where the word leads to, as a whole or by how it begins."""
    whole = node.next.get(word)
    found = [] if whole is None else [whole]
    if node.stems is not None:
        stems = (node.stems.get(word[:length]) for length in node.stem_lengths if length <= len(word))
        found += [stem for stem in stems if stem is not None]
    return found


def spellings(phrase: str, lists: Mapping[str, Sequence[str]]) -> list[str]:
    """Every phrase that this one stands for.

    `(a|b c)` is one of the choices, `[a|b]` one or none, `<name>` one of a list's. They may be nested.
    """
    pieces = deque(_PIECE.findall(phrase))
    found = _choices(pieces, lists)
    if pieces:
        raise ValueError(f"unbalanced: {phrase}")
    return list(dict.fromkeys(found))


def _choices(pieces: deque[str], lists: Mapping[str, Sequence[str]]) -> list[str]:
    """What stands before the end of the phrase or the bracket that closes this part of it."""
    complete: list[str] = []
    begun = [""]
    while pieces and pieces[0] not in _CLOSING:
        piece = pieces.popleft()
        if piece == "|":
            complete, begun = complete + begun, [""]
            continue
        ends = _one(piece, pieces, lists)
        begun = [f"{start} {end}".strip() for start in begun for end in ends]
    return complete + begun


def _one(piece: str, pieces: deque[str], lists: Mapping[str, Sequence[str]]) -> list[str]:
    if piece in _OPENING:
        inside = _choices(pieces, lists)
        if not pieces or pieces.popleft() != _OPENING[piece]:
            raise ValueError("a bracket is not closed")
        return ["", *inside] if piece == "[" else inside
    if piece.startswith("<"):
        return [end for entry in lists[piece[1:-1]] for end in spellings(entry, lists)]
    return [piece]
