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


@dataclass(frozen=True)
class Problem:
    """Something somebody should know. `place` is a file with a line, a session or a row, never words."""

    severity: Severity
    place: str
    message: str


@dataclass
class _Left:
    count: int = 0
    places: list[str] = field(default_factory=list)


@dataclass
class Ledger:
    """Counts by kind of record, such as `questions` or `chat_history`."""

    counted: Counter[str] = field(default_factory=Counter)
    taken: Counter[str] = field(default_factory=Counter)
    problems: list[Problem] = field(default_factory=list)
    _left: dict[tuple[str, str], _Left] = field(default_factory=dict)

    def read(self, what: str, count: int = 1) -> None:
        self.counted[what] += count

    def take(self, what: str, count: int = 1) -> None:
        self.taken[what] += count

    def leave(self, what: str, place: str, reason: str, count: int = 1) -> None:
        """Records of one place that are not taken over."""
        if count == 0:
            return
        left = self._left.setdefault((what, reason), _Left())
        left.count += count
        if len(left.places) < _PLACES:
            left.places.append(place)

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
                self._left.setdefault((what, reason), _Left()).count += rest

    def merge(self, other: "Ledger") -> None:
        self.counted.update(other.counted)
        self.taken.update(other.taken)
        self.problems += other.problems
        for key, more in other._left.items():
            left = self._left.setdefault(key, _Left())
            left.count += more.count
            left.places = (left.places + more.places)[:_PLACES]

    def say(self, severity: Severity, place: str, message: str) -> None:
        self.problems.append(Problem(severity, place, message))

    def error(self, place: str, message: str) -> None:
        self.say("error", place, message)

    def warn(self, place: str, message: str) -> None:
        self.say("warning", place, message)

    def note(self, place: str, message: str) -> None:
        self.say("note", place, message)

    @property
    def has_errors(self) -> bool:
        return any(problem.severity == "error" for problem in self.problems)

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
            "problems": [vars(problem) for problem in self.problems],
        }

    def leftovers(self) -> list[dict[str, Any]]:
        return [
            {"what": what, "reason": reason, "count": left.count, "places": left.places}
            for (what, reason), left in self._left.items()
        ]
