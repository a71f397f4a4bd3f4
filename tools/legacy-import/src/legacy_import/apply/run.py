"""Applies sources, or shows what applying them would do: then everything is taken back at the end."""

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Literal

from sqlalchemy import select, text
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from chat_service import tables
from chat_service.fault_points import reach
from cogniflow_kit.sql.database import Database
from legacy_import.apply.accounts import KIND, assign
from legacy_import.apply.months import prepare_months
from legacy_import.apply.options import Options
from legacy_import.apply.publishing import publish_draft, todos
from legacy_import.apply.rows import total
from legacy_import.apply.sessions import SessionImport
from legacy_import.drafting import Draft
from legacy_import.ledger import Ledger, Unbalanced
from legacy_import.sources import Source

Status = Literal["applied", "would_apply", "already_applied", "refused", "failed"]
OnProgress = Callable[[str, int, int], None]
"""Told a source's name, how many of its sessions are done, and of how many."""

_ONE_IMPORT = text("SELECT pg_advisory_xact_lock(hashtext('chat-legacy-import'))")


@dataclass
class Outcome:
    """What became of a source. `rows` by table: written, updated, unchanged and their sum."""

    source: Source
    status: Status
    rows: dict[str, dict[str, int]] = field(default_factory=dict)
    applied_at: str | None = None

    def as_json(self) -> dict[str, Any]:
        content = self.source.content
        return {
            "kind": self.source.kind,
            "files": self.source.names,
            "checksum": self.source.checksum,
            "status": self.status,
            "applied_at": self.applied_at,
            **self.source.ledger.as_json(),
            "rows": self.rows,
            "to_write": todos(content) if isinstance(content, Draft) else [],
        }


class Import:
    def __init__(self, database: Database, options: Options, on_progress: OnProgress) -> None:
        self._database = database
        self._options = options
        self._on_progress = on_progress

    def apply(self, sources: Sequence[Source]) -> list[Outcome]:
        """One transaction a source: a later run goes on after the last that was committed."""
        outcomes = []
        for source in sources:
            if source.content is not None:
                prepare_months(self._database, source, self._options.now)
            try:
                with self._database.transaction() as session:
                    outcome = self._take(session, source, "applied")
                    reach(f"legacy-applying-{source.kind}")
            except (SQLAlchemyError, Unbalanced) as error:
                outcome = _failed(source, error)
            reach(f"legacy-applied-{source.kind}")
            outcomes.append(outcome)
        return outcomes

    def show(self, sources: Sequence[Source]) -> list[Outcome]:
        """The same in one transaction, which is taken back: each source finds what it would find."""
        outcomes = []
        with self._database.transaction() as session:
            for source in sources:
                try:
                    with session.begin_nested():
                        outcomes.append(self._take(session, source, "would_apply"))
                except (SQLAlchemyError, Unbalanced) as error:
                    outcomes.append(_failed(source, error))
            accounts = self._assign(session, "would_apply")
            session.rollback()
        return [*outcomes, *accounts]

    def apply_accounts(self) -> list[Outcome]:
        """After the sources, so that sessions of this run are found as well."""
        with self._database.transaction() as session:
            return self._assign(session, "applied")

    def _take(self, session: Session, source: Source, status: Status) -> Outcome:
        session.execute(_ONE_IMPORT)
        if source.content is None:
            source.ledger.leave_rest("the source can't be used")
            return Outcome(source, "refused")
        checksum = self._checksum(source)
        before = session.scalars(
            select(tables.LegacyImport).where(tables.LegacyImport.checksum == checksum)
        ).first()
        if before is not None:
            source.ledger.leave_rest("it was taken over before; nothing changes")
            return Outcome(source, "already_applied", applied_at=before.applied_at.isoformat())
        if isinstance(source.content, Draft):
            counted = publish_draft(session, source, source.content)
        else:
            report = partial(self._on_progress, source.name)
            counted = SessionImport(session, source, self._options, report).run()
        rows = total(counted)
        source.ledger.check()
        if not rows and source.ledger.has_errors:
            return Outcome(source, "refused")
        counts = {"in": source.ledger.counted, "taken_over": source.ledger.taken, "rows": rows}
        session.add(tables.LegacyImport(kind=source.kind, checksum=checksum, counts=counts))
        session.flush()
        return Outcome(source, status, rows)

    def _checksum(self, source: Source) -> str:
        """Of the file, and of what decides what becomes of it."""
        options = self._options
        slug = source.content.slug if isinstance(source.content, Draft) else options.program
        slug = options.intake if source.kind == "bot" else slug
        parts = (source.kind, slug, options.namespace, str(options.check_safety), source.checksum)
        return hashlib.sha256("\x1f".join(parts).encode()).hexdigest()

    def _assign(self, session: Session, status: Status) -> list[Outcome]:
        if self._options.accounts_file is None:
            return []
        place, ledger = str(self._options.accounts_file), self._options.accounts_ledger
        counts = assign(session, self._options.accounts, place, ledger)
        ledger.check()
        source = Source(KIND, [place], "", ledger)
        return [Outcome(source, status, total(counts.items()))]


def _failed(source: Source, error: Exception) -> Outcome:
    """Nothing of the source is there. The statement's values are hidden: they are people's words."""
    if isinstance(error, Unbalanced):
        source.ledger = Ledger()
        source.ledger.error(source.name, f"its counts don't agree: {error}")
    else:
        source.ledger.error(source.name, f"{type(error).__name__}: {str(error).splitlines()[0]}")
        source.ledger.leave_rest("the database refused it")
    return Outcome(source, "failed")
