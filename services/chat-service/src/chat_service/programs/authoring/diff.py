"""Compares two versions of a program, by week, question, prompt, content block and field."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from chat_service.programs.content.model import Program
from chat_service.programs.content.rendering import authored

_PARTS = (
    ("weeks", "week", "week_number"),
    ("questions", "question", "question_number"),
    ("prompts", "prompt", "prompt_type"),
    ("content_blocks", "block", "block_name"),
)


@dataclass(frozen=True)
class Place:
    """A position in a program; all fields null for the program itself."""

    week: int | None = None
    question: int | None = None
    prompt: str | None = None
    block: str | None = None

    def __str__(self) -> str:
        named = {"week": self.week, "question": self.question, "prompt": self.prompt, "block": self.block}
        return ", ".join(f"{name} {value}" for name, value in named.items() if value is not None)


@dataclass(frozen=True)
class Change:
    """A field with its values in both versions; null where it is not given. Mappings are compared by key."""

    place: Place
    field: str
    old: Any
    new: Any


@dataclass
class Difference:
    """Parts that only one version has, and fields that differ in parts that both have."""

    added: list[Place] = field(default_factory=list)
    removed: list[Place] = field(default_factory=list)
    changed: list[Change] = field(default_factory=list)


def compare(old: Program, new: Program) -> Difference:
    found = Difference()
    _compare(authored(old), authored(new), Place(), found)
    found.changed = [change for change in found.changed if change.field != "version"]
    return found


def _compare(old: dict[str, Any], new: dict[str, Any], place: Place, found: Difference) -> None:
    parts = {name for name, _, _ in _PARTS}
    for key in dict.fromkeys([*old, *new]):
        if key not in parts:
            found.changed.extend(_changes(old.get(key), new.get(key), place, key))
    for name, kind, key in _PARTS:
        before = {part[key]: part for part in old.get(name, [])}
        after = {part[key]: part for part in new.get(name, [])}
        for one in dict.fromkeys([*before, *after]):
            where = Place(**{**asdict(place), kind: one})
            if one not in before:
                found.added.append(where)
            elif one not in after:
                found.removed.append(where)
            else:
                _compare(before[one], after[one], where, found)


def _changes(old: Any, new: Any, place: Place, name: str) -> Iterator[Change]:
    if isinstance(old, dict) and isinstance(new, dict):
        for key in dict.fromkeys([*old, *new]):
            yield from _changes(old.get(key), new.get(key), place, f"{name}.{key}")
    elif old != new:
        yield Change(place, name, old, new)


def as_json(found: Difference) -> dict[str, Any]:
    """Return the difference as JSON, each change with its place."""
    return {
        "added": [asdict(place) for place in found.added],
        "removed": [asdict(place) for place in found.removed],
        "changed": [
            {**asdict(change.place), "field": change.field, "old": change.old, "new": change.new}
            for change in found.changed
        ],
    }


def as_text(found: Difference, title: str) -> str:
    """Return the difference as text: `+` added or new value, `-` removed or old value, `~` changed field."""
    lines = [title]
    lines += [f"+ {place}" for place in found.added]
    lines += [f"- {place}" for place in found.removed]
    for change in found.changed:
        lines.append(f"~ {str(change.place) or 'program'}: {change.field}")
        lines += _values(change)
    if len(lines) == 1:
        lines.append("no difference")
    return "\n".join(lines) + "\n"


def _values(change: Change) -> Iterator[str]:
    old, new = change.old, change.new
    if isinstance(old, list) and isinstance(new, list):
        yield from (f"    - {_shown(one)}" for one in _without(old, new))
        yield from (f"    + {_shown(one)}" for one in _without(new, old))
        if not _without(old, new) and not _without(new, old):
            yield "    (another order)"
        return
    if old is not None:
        yield f"    - {_shown(old)}"
    if new is not None:
        yield f"    + {_shown(new)}"


def _without(these: Sequence[Any], those: Sequence[Any]) -> list[Any]:
    return [one for one in these if one not in those]


def _shown(value: Any) -> str:
    return (
        value.replace("\n", "\n      ") if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    )
