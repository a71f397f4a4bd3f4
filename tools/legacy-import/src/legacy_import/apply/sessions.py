"""Imports the sessions of task source: plans each task and writes the rows in batches."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from pathlib import Path
from uuid import UUID

import structlog
from sqlalchemy.orm import Session

from chat_service.platform.retention.partitions import MessagesLocked, ensure_months, retry_while_locked
from cogniflow_kit.ids import utc_now
from cogniflow_kit.sql.database import Database
from legacy_import.apply.bot import BotSessionPlanner, plan_event
from legacy_import.apply.plan import (
    SessionPlan,
    SessionPlanner,
    SessionSkipped,
    TargetProgram,
    find_target_program,
)
from legacy_import.apply.program_sessions import WeekStatePlanner, plan_position
from legacy_import.apply.rows import PlannedRows, RowCounts
from legacy_import.ledger import Ledger
from legacy_import.records import BotRecords, BotSession, ProgressRecord, WeekRecord
from legacy_import.sources import Source

OnProgress = Callable[[int, int], None]
"""Called with the number of sessions done, and their total."""


@dataclass(frozen=True)
class Options:
    """Options of an import.

    `program`: slug of the program that progress and states belong to; `intake`:
    slug for the bot's sessions. `namespace` distinguishes two systems whose
    sessions have the same names.
    """

    program: str = "driven"
    intake: str = "support-intake"
    namespace: str = ""
    check_safety: bool = False
    accounts: dict[str, UUID] = field(default_factory=dict)
    accounts_file: Path | None = None
    accounts_ledger: Ledger = field(default_factory=Ledger)
    now: datetime = field(default_factory=utc_now)


log = structlog.stdlib.get_logger(__name__)


def create_partitions(database: Database, source: Source, now: datetime) -> None:
    """Create the message partitions of all months in the source.

    Each in a transaction of its own, since creating one blocks other writers of messages.
    """
    for month in sorted(
        {moment.astimezone(UTC).date().replace(day=1) for moment in _message_times(source, now)}
    ):
        _create_partition(database, month)


def _create_partition(database: Database, month: date) -> None:
    try:
        retry_while_locked(database, lambda session: ensure_months(session, month, month))
    except MessagesLocked:
        # The rows go to the default partition and move when their month's partition is created.
        log.warning("month not partitioned", month=month.isoformat())


def _message_times(source: Source, now: datetime) -> Iterator[datetime]:
    yield now
    yield from (time for time in _known_times(source) if time is not None)


def _known_times(source: Source) -> Iterable[datetime | None]:
    match source.content:
        case BotRecords(sessions=sessions):
            for found in sessions.values():
                yield from (row.values["at"] for row in found.messages)
                if found.session is not None:
                    yield from (found.session.values[name] for name in ("created_at", "last_activity"))
        case list(records):
            for record in records:
                yield record.last_active if isinstance(record, ProgressRecord) else record.at


_BATCH_ROWS = 3000
Planner = Callable[[SessionPlan, Ledger], None]


@dataclass(frozen=True)
class _SessionTask:
    """One session to import: its record counts, and the function that plans it."""

    legacy_id: str
    counts: Mapping[str, int]
    plan: Planner


@dataclass
class SessionImport:
    session: Session
    source: Source
    options: Options
    on_progress: OnProgress
    written: list[tuple[str, RowCounts]] = field(default_factory=list)
    _rows: PlannedRows = field(default_factory=PlannedRows)

    def run(self) -> list[tuple[str, RowCounts]]:
        """Import all sessions; return row counts by table. Raises: Unbalanced."""
        slug = self.options.intake if isinstance(self.source.content, BotRecords) else self.options.program
        target = find_target_program(self.session, slug)
        if target is None:
            self.source.ledger.error(self.source.name, f"there is no program {slug!r}")
            self.source.ledger.skip_rest(f"there is no program {slug!r}")
            return []
        planner = SessionPlanner(
            self.session, target, self.options.namespace, self.options.accounts, self.options.now
        )
        tasks = list(self._tasks(target))
        for done, task in enumerate(tasks, start=1):
            self._import_session(planner, task)
            if len(self._rows) >= _BATCH_ROWS:
                self._write()
            self.on_progress(done, len(tasks))
        if isinstance(self.source.content, BotRecords):
            for row in self.source.content.analytics:
                plan_event(row, self.options.namespace, self._rows, self.source.ledger)
        self._write()
        return self.written

    def _import_session(self, planner: SessionPlanner, task: _SessionTask) -> None:
        own, place = Ledger(), f"{self.source.name}: {task.legacy_id}"
        try:
            plan = planner.plan(task.legacy_id)
            task.plan(plan, own)
            plan.finish()
            planner.check_same(plan)
        except SessionSkipped as reason:
            self.source.ledger.skip_each(task.counts, place, str(reason))
            return
        self.source.ledger.merge(own)
        self._rows.merge(plan.rows)

    def _write(self) -> None:
        self.written += self._rows.write(self.session)
        self._rows = PlannedRows()

    def _tasks(self, target: TargetProgram) -> Iterator[_SessionTask]:
        content, name = self.source.content, self.source.name
        if isinstance(content, BotRecords):
            for found in content.sessions.values():
                yield _SessionTask(found.legacy_id, found.counts(), self._bot(found))
        elif isinstance(content, list):
            weeks: dict[str, list[WeekRecord]] = {}
            for record in content:
                if isinstance(record, ProgressRecord):
                    yield _SessionTask(record.legacy_id, record.counts(), _position(record, name))
                elif target.week(record.week) is None:
                    place = f"{name}: {record.legacy_id}"
                    reason = f"the program has no week {record.week}"
                    self.source.ledger.skip_each(record.counts(), place, reason)
                else:
                    weeks.setdefault(record.legacy_id, []).append(record)
            for legacy_id, records in weeks.items():
                yield _SessionTask(legacy_id, _total_counts(records), self._states(records))

    def _bot(self, found: BotSession) -> Planner:
        def plan(session: SessionPlan, ledger: Ledger) -> None:
            BotSessionPlanner(session, found, ledger, check_safety=self.options.check_safety).plan()

        return plan

    def _states(self, records: list[WeekRecord]) -> Planner:
        def plan(session: SessionPlan, ledger: Ledger) -> None:
            for record in sorted(records, key=lambda record: record.week):
                week = session.target.week(record.week)
                place = f"{self.source.name}: {record.legacy_id}, week {record.week}"
                if week is None:
                    ledger.skip_each(record.counts(), place, f"the program has no week {record.week}")
                else:
                    state = WeekStatePlanner(session, record, week, place, ledger)
                    state.plan(check_safety=self.options.check_safety)

        return plan


def _position(record: ProgressRecord, name: str) -> Planner:
    def plan(session: SessionPlan, ledger: Ledger) -> None:
        plan_position(session, record, f"{name}: {record.legacy_id}", ledger)

    return plan


def _total_counts(records: list[WeekRecord]) -> Mapping[str, int]:
    first, *others = (record.counts() for record in records)
    for other in others:
        first.update(other)
    return first
