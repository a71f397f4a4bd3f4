"""Counts the records of a source: each record that was read is either imported or skipped.

The report calls the counts `counts_in`, `taken_over` and `left`.
"""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

Severity = Literal["error", "warning", "note"]
_MAX_PLACES = 100
"""How many places the report lists per reason or message; the others are only counted."""


class Unbalanced(AssertionError):
    """A record was lost or counted twice: a bug of the importer, so the source is rolled back."""


@dataclass
class _Occurrences:
    """Number of occurrences and their places: file and line, session or row; never text of a message."""

    count: int = 0
    places: list[str] = field(default_factory=list)

    def add(self, place: str, count: int = 1) -> None:
        self.count += count
        if len(self.places) < _MAX_PLACES:
            self.places.append(place)

    def merge(self, other: "_Occurrences") -> None:
        self.count += other.count
        self.places = (self.places + other.places)[:_MAX_PLACES]


@dataclass
class Ledger:
    """Counts by kind of record, such as `questions` or `chat_history`."""

    read: Counter[str] = field(default_factory=Counter)
    imported: Counter[str] = field(default_factory=Counter)
    _problems: dict[tuple[Severity, str], _Occurrences] = field(default_factory=dict)
    _skipped: dict[tuple[str, str], _Occurrences] = field(default_factory=dict)

    def count_read(self, what: str, count: int = 1) -> None:
        self.read[what] += count

    def count_imported(self, what: str, count: int = 1) -> None:
        self.imported[what] += count

    def skip(self, what: str, place: str, reason: str, count: int = 1) -> None:
        """Count records that are not imported. `place`: file and line, session or row."""
        if count == 0:
            return
        self._skipped.setdefault((what, reason), _Occurrences()).add(place, count)

    def count_imported_each(self, counts: Mapping[str, int]) -> None:
        self.imported.update(counts)

    def skip_each(self, counts: Mapping[str, int], place: str, reason: str) -> None:
        for what, count in counts.items():
            self.skip(what, place, reason, count)

    def skip_rest(self, reason: str) -> None:
        """Skip all records that aren't skipped yet, including those counted as imported."""
        self.imported.clear()
        for what, count in self.read.items():
            rest = count - self.skipped(what)
            if rest > 0:
                self._skipped.setdefault((what, reason), _Occurrences()).count += rest

    def merge(self, other: "Ledger") -> None:
        self.read.update(other.read)
        self.imported.update(other.imported)
        for problem, more in other._problems.items():
            self._problems.setdefault(problem, _Occurrences()).merge(more)
        for skipped, more in other._skipped.items():
            self._skipped.setdefault(skipped, _Occurrences()).merge(more)

    def add_problem(self, severity: Severity, place: str, message: str) -> None:
        """Add a message about the source to the report."""
        self._problems.setdefault((severity, message), _Occurrences()).add(place)

    def error(self, place: str, message: str) -> None:
        self.add_problem("error", place, message)

    def warn(self, place: str, message: str) -> None:
        self.add_problem("warning", place, message)

    def note(self, place: str, message: str) -> None:
        self.add_problem("note", place, message)

    @property
    def has_errors(self) -> bool:
        return any(severity == "error" for severity, _ in self._problems)

    def skipped(self, what: str) -> int:
        return sum(found.count for (kind, _), found in self._skipped.items() if kind == what)

    def check(self) -> None:
        """Raises: Unbalanced, if for some kind of record read ≠ imported + skipped."""
        kinds = {*self.read, *self.imported, *(kind for kind, _ in self._skipped)}
        wrong = [
            f"{kind}: {self.read[kind]} read, {self.imported[kind]} imported, {self.skipped(kind)} skipped"
            for kind in sorted(kinds)
            if self.read[kind] != self.imported[kind] + self.skipped(kind)
        ]
        if wrong:
            raise Unbalanced("; ".join(wrong))

    def as_json(self) -> dict[str, Any]:
        self.check()
        return {
            "counts_in": dict(self.read),
            "taken_over": {kind: self.imported[kind] for kind in self.read},
            "left": self.skipped_records(),
            "problems": self.problems(),
        }

    def skipped_records(self) -> list[dict[str, Any]]:
        return [
            {"what": what, "reason": reason, "count": found.count, "places": found.places}
            for (what, reason), found in self._skipped.items()
        ]

    def problems(self) -> list[dict[str, Any]]:
        return [
            {"severity": severity, "message": message, "count": found.count, "places": found.places}
            for (severity, message), found in self._problems.items()
        ]
