"""The account of a source: every record that was read is taken over or left, and never both or neither."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

Severity = Literal["error", "warning", "note"]
_PLACES = 100
"""So many places of one kind of leftover are named; the rest are counted."""


class Unbalanced(AssertionError):
    """A record was lost or counted twice: a fault of ours, so nothing of the source is kept."""


@dataclass
class _Seen:
    """How often, and where: a file with a line, a session or a row, never words."""

    count: int = 0
    places: list[str] = field(default_factory=list)

    def add(self, place: str, count: int = 1) -> None:
        self.count += count
        if len(self.places) < _PLACES:
            self.places.append(place)

    def merge(self, other: "_Seen") -> None:
        self.count += other.count
        self.places = (self.places + other.places)[:_PLACES]


@dataclass
class Ledger:
    """Counts by kind of record, such as `questions` or `chat_history`."""

    counted: Counter[str] = field(default_factory=Counter)
    taken: Counter[str] = field(default_factory=Counter)
    _said: dict[tuple[Severity, str], _Seen] = field(default_factory=dict)
    _left: dict[tuple[str, str], _Seen] = field(default_factory=dict)

    def read(self, what: str, count: int = 1) -> None:
        self.counted[what] += count

    def take(self, what: str, count: int = 1) -> None:
        self.taken[what] += count

    def leave(self, what: str, place: str, reason: str, count: int = 1) -> None:
        """Records of one place that are not taken over."""
        if count == 0:
            return
        self._left.setdefault((what, reason), _Seen()).add(place, count)

    def take_each(self, counts: Mapping[str, int]) -> None:
        self.taken.update(counts)

    def leave_each(self, counts: Mapping[str, int], place: str, reason: str) -> None:
        for what, count in counts.items():
            self.leave(what, place, reason, count)

    def leave_rest(self, reason: str) -> None:
        """Nothing more is taken over: what was neither taken nor left is left, and so is what was taken."""
        self.taken.clear()
        for what, count in self.counted.items():
            rest = count - self.left(what)
            if rest > 0:
                self._left.setdefault((what, reason), _Seen()).count += rest

    def merge(self, other: "Ledger") -> None:
        self.counted.update(other.counted)
        self.taken.update(other.taken)
        for said, more in other._said.items():
            self._said.setdefault(said, _Seen()).merge(more)
        for left, more in other._left.items():
            self._left.setdefault(left, _Seen()).merge(more)

    def say(self, severity: Severity, place: str, message: str) -> None:
        """Something that somebody should know."""
        self._said.setdefault((severity, message), _Seen()).add(place)

    def error(self, place: str, message: str) -> None:
        self.say("error", place, message)

    def warn(self, place: str, message: str) -> None:
        self.say("warning", place, message)

    def note(self, place: str, message: str) -> None:
        self.say("note", place, message)

    @property
    def has_errors(self) -> bool:
        return any(severity == "error" for severity, _ in self._said)

    def left(self, what: str) -> int:
        return sum(left.count for (kind, _), left in self._left.items() if kind == what)

    def check(self) -> None:
        """Raise Unbalanced unless counts in = counts taken over + leftovers, for every kind of record."""
        kinds = {*self.counted, *self.taken, *(kind for kind, _ in self._left)}
        wrong = [
            f"{kind}: {self.counted[kind]} read, {self.taken[kind]} taken over, {self.left(kind)} left"
            for kind in sorted(kinds)
            if self.counted[kind] != self.taken[kind] + self.left(kind)
        ]
        if wrong:
            raise Unbalanced("; ".join(wrong))

    def as_json(self) -> dict[str, Any]:
        self.check()
        return {
            "counts_in": dict(self.counted),
            "taken_over": {kind: self.taken[kind] for kind in self.counted},
            "left": self.leftovers(),
            "problems": self.problems(),
        }

    def leftovers(self) -> list[dict[str, Any]]:
        return [
            {"what": what, "reason": reason, "count": left.count, "places": left.places}
            for (what, reason), left in self._left.items()
        ]

    def problems(self) -> list[dict[str, Any]]:
        return [
            {"severity": severity, "message": message, "count": seen.count, "places": seen.places}
            for (severity, message), seen in self._said.items()
        ]
