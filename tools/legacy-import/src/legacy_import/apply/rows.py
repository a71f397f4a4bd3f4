"""Planned rows by table, how they are written and counted, and ids derived from the old keys."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID, uuid5

from sqlalchemy import Table, func, insert, select, update
from sqlalchemy.orm import Session

from chat_service import tables
from legacy_import.ledger import Unbalanced

_NAMESPACE = UUID("4f6a1e0c-6a0b-5d57-9a67-3f0d5a1c2b7e")


def legacy_uuid(*key: object) -> UUID:
    """A UUID of version 5 (RFC 9562) that follows from the old keys: the same record gives the same row.

    CogniFlow's own ids are of version 7, so the two never collide.
    """
    return uuid5(_NAMESPACE, "\x1f".join(str(part) for part in key))


_CHUNK = 500

# Each table comes after the tables that it references.
_ORDER = (
    "sessions", "user_progress", "conversation_states", "turns", "question_completions",
    "conversation_messages", "user_answers", "nova_responses", "user_responses", "risk_detections",
    "risk_reviews", "session_summaries", "intent_classifications", "outbox",
)  # fmt: skip


@dataclass
class RowCounts:
    """Rows of one source in one table: inserted, updated, or already stored as planned."""

    written: int = 0
    updated: int = 0
    unchanged: int = 0


@dataclass
class PlannedRows:
    """Rows to write, by table and id. `add`: insert unless stored; `put`: insert or update."""

    added: dict[str, dict[Any, dict[str, Any]]] = field(default_factory=dict)
    replaced: dict[str, dict[Any, dict[str, Any]]] = field(default_factory=dict)

    def add(self, table: str, **values: Any) -> None:
        self.added.setdefault(table, {})[values[_key(_table(table))]] = values

    def put(self, table: str, **values: Any) -> None:
        self.replaced.setdefault(table, {})[values[_key(_table(table))]] = values

    def merge(self, other: "PlannedRows") -> None:
        for mine, theirs in ((self.added, other.added), (self.replaced, other.replaced)):
            for table, rows in theirs.items():
                mine.setdefault(table, {}).update(rows)

    def __len__(self) -> int:
        return sum(len(rows) for kind in (self.added, self.replaced) for rows in kind.values())

    def write(self, session: Session) -> Iterator[tuple[str, RowCounts]]:
        """Yield the table and counts of each chunk. Raises: Unbalanced, if a row is missing afterwards."""
        for name in _ORDER:
            for rows, changes in ((self.replaced.get(name, {}), True), (self.added.get(name, {}), False)):
                everything = list(rows.items())
                for start in range(0, len(everything), _CHUNK):
                    chunk = dict(everything[start : start + _CHUNK])
                    yield name, _write(session, _table(name), chunk, changes=changes)


def total(counts: Iterable[tuple[str, RowCounts]]) -> dict[str, dict[str, int]]:
    """Sums by table; rows = written + updated + unchanged."""
    found: dict[str, Counter[str]] = {}
    for name, count in counts:
        found.setdefault(name, Counter()).update(vars(count))
    return {name: {"rows": sum(count.values()), **count} for name, count in found.items()}


def _write(session: Session, table: Table, rows: Mapping[Any, dict[str, Any]], *, changes: bool) -> RowCounts:
    key = table.c[_key(table)]
    there = {row[key.name]: row for row in session.execute(select(table).where(key.in_(rows))).mappings()}
    new = [values for row_id, values in rows.items() if row_id not in there]
    if new:
        session.execute(insert(table), new)
    changed = [
        (row_id, values)
        for row_id, values in rows.items()
        if changes and row_id in there and any(there[row_id][name] != value for name, value in values.items())
    ]
    for row_id, values in changed:
        session.execute(update(table).where(key == row_id).values(values))
    stored = session.scalar(select(func.count()).select_from(table).where(key.in_(rows)))
    if stored != len(rows):
        raise Unbalanced(f"{table.name}: {len(rows)} rows to be there, {stored} are")
    return RowCounts(len(new), len(changed), len(rows) - len(new) - len(changed))


def _table(name: str) -> Table:
    return tables.metadata.tables[f"chat.{name}"]


def _key(table: Table) -> str:
    return next(iter(table.primary_key.columns)).name
