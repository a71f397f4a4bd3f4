"""Finds thousands of phrases in one pass over the words of a message.

A trie over words. Multi-pattern matchers such as Aho-Corasick support neither
gaps between words nor open word ends, and lexicon phrases need both. The trie
looks at each word a bounded number of times.
"""

import re
from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Generic, TypeVar

GAP_WORDS = 4
"""The greatest number of words that `...` matches; it may match none."""

Value = TypeVar("Value")
_PIECE = re.compile(r"[()\[\]|]|<\w+>|[^\s()\[\]|<>]+")
_CLOSING_OF = {"(": ")", "[": "]"}
_CLOSING = frozenset(_CLOSING_OF.values())


@dataclass(frozen=True, slots=True)
class PhraseMatch(Generic[Value]):
    """A phrase found at the words `start` to `end` (exclusive).

    `value` is what was stored with the phrase. `gaps` are the positions of
    words that a gap matched.
    """

    start: int
    end: int
    value: Value
    gaps: tuple[int, ...] = ()


@dataclass(slots=True)
class _TrieNode(Generic[Value]):
    """`next` by whole word, `stems` by the beginning of a word, `gap` for `...`."""

    next: "dict[str, _TrieNode[Value]]" = field(default_factory=dict)
    stems: "dict[str, _TrieNode[Value]] | None" = None
    stem_lengths: tuple[int, ...] = ()
    gap: "_TrieNode[Value] | None" = None
    values: tuple[Value, ...] = ()


class PhraseTrie(Generic[Value]):
    """Phrases with a value each. Phrases that begin alike share nodes."""

    def __init__(self) -> None:
        self._root: _TrieNode[Value] = _TrieNode()

    def add(self, words: Sequence[str], value: Value) -> None:
        """Add a phrase. `dea*` matches every word that begins with `dea`; `...` is a gap."""
        node = self._root
        for word in words:
            if word == "...":
                node.gap = node.gap or _TrieNode()
                node = node.gap
            elif word.endswith("*"):
                node = _stem_node(node, word[:-1])
            else:
                node = node.next.get(word) or node.next.setdefault(word, _TrieNode())
        if value not in node.values:
            node.values += (value,)

    def find(self, words: Sequence[str]) -> list[PhraseMatch[Value]]:
        """Return every occurrence of every phrase; matches may overlap."""
        root, found = self._root, list[PhraseMatch[Value]]()
        shortest = min(root.stem_lengths, default=1)
        beginnings = {stem[:shortest] for stem in root.stems or ()}
        for start, word in enumerate(words):
            node = root.next.get(word)
            # Fast path: most words begin no phrase, or one that the next word does not continue.
            if (node is not None and _continues(node, words, start + 1)) or word[:shortest] in beginnings:
                found += self._matches_from(words, start)
        return found

    def _matches_from(self, words: Sequence[str], start: int) -> list[PhraseMatch[Value]]:
        found: list[PhraseMatch[Value]] = []
        pending: list[tuple[_TrieNode[Value], int, tuple[int, ...]]] = [(self._root, start, ())]
        while pending:
            node, at, gaps = pending.pop()
            found += [PhraseMatch(start, at, value, gaps) for value in node.values]
            if node.gap is not None:
                last = min(at + GAP_WORDS, len(words))
                pending += [(node.gap, to, (*gaps, *range(at, to))) for to in range(at, last + 1)]
            if at < len(words):
                pending += [(child, at + 1, gaps) for child in _children(node, words[at])]
        return found


def _continues(node: _TrieNode[Value], words: Sequence[str], at: int) -> bool:
    if node.values or node.gap is not None or node.stems is not None:
        return True
    return at < len(words) and words[at] in node.next


def _stem_node(node: _TrieNode[Value], stem: str) -> _TrieNode[Value]:
    node.stems = node.stems or {}
    node.stem_lengths = tuple({*node.stem_lengths, len(stem)})
    return node.stems.setdefault(stem, _TrieNode())


def _children(node: _TrieNode[Value], word: str) -> list[_TrieNode[Value]]:
    """Return the nodes that the word leads to, as a whole word or by its beginning."""
    whole = node.next.get(word)
    found = [] if whole is None else [whole]
    if node.stems is not None:
        stems = (node.stems.get(word[:length]) for length in node.stem_lengths if length <= len(word))
        found += [stem for stem in stems if stem is not None]
    return found


def expand(phrase: str, lists: Mapping[str, Sequence[str]]) -> list[str]:
    """Return every plain phrase that a phrase pattern stands for.

    `(a|b c)` is one of the choices, `[a|b]` one of them or nothing, `<name>`
    one entry of the list with that name. Patterns may be nested.
    Raises: ValueError (a bracket is not closed)
    """
    pieces = deque(_PIECE.findall(phrase))
    found = _expand_choices(pieces, lists)
    if pieces:
        raise ValueError(f"unbalanced: {phrase}")
    return list(dict.fromkeys(found))


def _expand_choices(pieces: deque[str], lists: Mapping[str, Sequence[str]]) -> list[str]:
    """Expand up to the end of the phrase, or to the bracket that closes this part of it."""
    complete: list[str] = []
    begun = [""]
    while pieces and pieces[0] not in _CLOSING:
        piece = pieces.popleft()
        if piece == "|":
            complete, begun = complete + begun, [""]
            continue
        ends = _expand_piece(piece, pieces, lists)
        begun = [f"{start} {end}".strip() for start in begun for end in ends]
    return complete + begun


def _expand_piece(piece: str, pieces: deque[str], lists: Mapping[str, Sequence[str]]) -> list[str]:
    if piece in _CLOSING_OF:
        inside = _expand_choices(pieces, lists)
        if not pieces or pieces.popleft() != _CLOSING_OF[piece]:
            raise ValueError("a bracket is not closed")
        return ["", *inside] if piece == "[" else inside
    if piece.startswith("<"):
        return [end for entry in lists[piece[1:-1]] for end in expand(entry, lists)]
    return [piece]
