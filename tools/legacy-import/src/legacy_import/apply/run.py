"""Applies sources, or shows what applying them would do by rolling back at the end."""

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
from legacy_import.apply.publishing import publish_draft, todos_as_json
from legacy_import.apply.rows import total
from legacy_import.apply.sessions import Options, SessionImport, create_partitions
from legacy_import.ledger import Ledger, Unbalanced
from legacy_import.sources import Source
from legacy_import.week_modules.draft import ProgramDraft

Status = Literal["applied", "would_apply", "already_applied", "refused", "failed"]
OnSourceProgress = Callable[[str, int, int], None]
"""Called with the source's name, the number of sessions done, and their total."""

_ONE_IMPORT = text("SELECT pg_advisory_xact_lock(hashtext('chat-legacy-import'))")


@dataclass
class Outcome:
    """The result of one source. `rows` by table: written, updated, unchanged and their sum."""

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
            "to_write": todos_as_json(content) if isinstance(content, ProgramDraft) else [],
        }


class Import:
    def __init__(self, database: Database, options: Options, on_progress: OnSourceProgress) -> None:
        self._database = database
        self._options = options
        self._on_progress = on_progress

    def apply(self, sources: Sequence[Source]) -> list[Outcome]:
        """Use one transaction per source; a later run continues after the last one committed."""
        outcomes = []
        for source in sources:
            if source.content is not None:
                create_partitions(self._database, source, self._options.now)
            try:
                with self._database.transaction() as session:
                    outcome = self._import_source(session, source, "applied")
                    reach(f"legacy-applying-{source.kind}")
            except (SQLAlchemyError, Unbalanced) as error:
                outcome = _failed(source, error)
            reach(f"legacy-applied-{source.kind}")
            outcomes.append(outcome)
        return outcomes

    def show(self, sources: Sequence[Source]) -> list[Outcome]:
        """Do the same in one transaction that is rolled back, so each source sees those before it."""
        outcomes = []
        with self._database.transaction() as session:
            for source in sources:
                try:
                    with session.begin_nested():
                        outcomes.append(self._import_source(session, source, "would_apply"))
                except (SQLAlchemyError, Unbalanced) as error:
                    outcomes.append(_failed(source, error))
            accounts = self._assign(session, "would_apply")
            session.rollback()
        return [*outcomes, *accounts]

    def apply_accounts(self) -> list[Outcome]:
        """Run after `apply`, to find the sessions of this run, too."""
        with self._database.transaction() as session:
            return self._assign(session, "applied")

    def _import_source(self, session: Session, source: Source, status: Status) -> Outcome:
        session.execute(_ONE_IMPORT)
        if source.content is None:
            source.ledger.skip_rest("the source can't be used")
            return Outcome(source, "refused")
        checksum = self._checksum(source)
        earlier = session.scalars(
            select(tables.LegacyImport).where(tables.LegacyImport.checksum == checksum)
        ).first()
        if earlier is not None:
            source.ledger.skip_rest("it was imported before; nothing changes")
            return Outcome(source, "already_applied", applied_at=earlier.applied_at.isoformat())
        if isinstance(source.content, ProgramDraft):
            row_counts = publish_draft(session, source, source.content)
        else:
            on_progress = partial(self._on_progress, source.name)
            row_counts = SessionImport(session, source, self._options, on_progress).run()
        rows = total(row_counts)
        source.ledger.check()
        if not rows and source.ledger.has_errors:
            return Outcome(source, "refused")
        counts = {"in": source.ledger.read, "taken_over": source.ledger.imported, "rows": rows}
        session.add(tables.LegacyImport(kind=source.kind, checksum=checksum, counts=counts))
        session.flush()
        return Outcome(source, status, rows)

    def _checksum(self, source: Source) -> str:
        """Checksum of the content and of the options that affect its import."""
        options = self._options
        slug = source.content.slug if isinstance(source.content, ProgramDraft) else options.program
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
    """The source was rolled back. Statement values are hidden, since they are people's messages."""
    if isinstance(error, Unbalanced):
        source.ledger = Ledger()
        source.ledger.error(source.name, f"its counts don't agree: {error}")
    else:
        source.ledger.error(source.name, f"{type(error).__name__}: {str(error).splitlines()[0]}")
        source.ledger.skip_rest("the database refused it")
    return Outcome(source, "failed")
