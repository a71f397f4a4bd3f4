"""Sessions of one source: each planned by itself, written in batches."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field

from sqlalchemy.orm import Session

from legacy_import.apply.analytics import plan_event
from legacy_import.apply.bot import BotPlan
from legacy_import.apply.options import OnProgress, Options
from legacy_import.apply.plan import LeftAlone, Plans, SessionPlan
from legacy_import.apply.progress import plan_position
from legacy_import.apply.rows import Rows, TableCount
from legacy_import.apply.states import StatePlan
from legacy_import.apply.target import Target, find_target
from legacy_import.ledger import Ledger
from legacy_import.records import BotRecords, BotSession, Position, WeekRecord
from legacy_import.sources import Source

_BATCH_ROWS = 3000
Planner = Callable[[SessionPlan, Ledger], None]


@dataclass(frozen=True)
class _Work:
    """One session: what it counts, and how it is planned."""

    legacy_id: str
    counts: Mapping[str, int]
    plan: Planner


@dataclass
class SessionImport:
    session: Session
    source: Source
    options: Options
    on_progress: OnProgress
    written: list[tuple[str, TableCount]] = field(default_factory=list)
    _rows: Rows = field(default_factory=Rows)

    def run(self) -> list[tuple[str, TableCount]]:
        """The rows of each table. Raises Unbalanced."""
        slug = self.options.intake if isinstance(self.source.content, BotRecords) else self.options.program
        target = find_target(self.session, slug)
        if target is None:
            self.source.ledger.error(self.source.name, f"there is no program {slug!r} to go on in")
            self.source.ledger.leave_rest(f"there is no program {slug!r}")
            return []
        plans = Plans(self.session, target, self.options.namespace, self.options.accounts, self.options.now)
        work = list(self._work(target))
        for done, one in enumerate(work, start=1):
            self._take(plans, one)
            if len(self._rows) >= _BATCH_ROWS:
                self._write()
            self.on_progress(done, len(work))
        if isinstance(self.source.content, BotRecords):
            for row in self.source.content.analytics:
                plan_event(row, self.options.namespace, self._rows, self.source.ledger)
        self._write()
        return self.written

    def _take(self, plans: Plans, one: _Work) -> None:
        own, place = Ledger(), f"{self.source.name}: {one.legacy_id}"
        try:
            plan = plans.begin(one.legacy_id)
            one.plan(plan, own)
            plan.settle()
            plans.check_same(plan)
        except LeftAlone as reason:
            self.source.ledger.leave_each(one.counts, place, str(reason))
            return
        self.source.ledger.merge(own)
        self._rows.merge(plan.rows)

    def _write(self) -> None:
        self.written += self._rows.write(self.session)
        self._rows = Rows()

    def _work(self, target: Target) -> Iterator[_Work]:
        content, name = self.source.content, self.source.name
        if isinstance(content, BotRecords):
            for found in content.sessions.values():
                yield _Work(found.legacy_id, found.counts(), self._bot(found))
        elif isinstance(content, list):
            weeks: dict[str, list[WeekRecord]] = {}
            for record in content:
                if isinstance(record, Position):
                    yield _Work(record.legacy_id, record.counts(), _position(record, name))
                elif target.week(record.week) is None:
                    place = f"{name}: {record.legacy_id}"
                    reason = f"the program has no week {record.week}"
                    self.source.ledger.leave_each(record.counts(), place, reason)
                else:
                    weeks.setdefault(record.legacy_id, []).append(record)
            for legacy_id, records in weeks.items():
                yield _Work(legacy_id, _sum(records), self._states(records))

    def _bot(self, found: BotSession) -> Planner:
        def plan(session: SessionPlan, ledger: Ledger) -> None:
            BotPlan(session, found, ledger, check_safety=self.options.check_safety).plan()

        return plan

    def _states(self, records: list[WeekRecord]) -> Planner:
        def plan(session: SessionPlan, ledger: Ledger) -> None:
            for record in sorted(records, key=lambda record: record.week):
                week = session.target.week(record.week)
                place = f"{self.source.name}: {record.legacy_id}, week {record.week}"
                if week is None:
                    ledger.leave_each(record.counts(), place, f"the program has no week {record.week}")
                else:
                    state = StatePlan(session, record, week, place, ledger)
                    state.plan(check_safety=self.options.check_safety)

        return plan


def _position(record: Position, name: str) -> Planner:
    def plan(session: SessionPlan, ledger: Ledger) -> None:
        plan_position(session, record, f"{name}: {record.legacy_id}", ledger)

    return plan


def _sum(records: list[WeekRecord]) -> Mapping[str, int]:
    first, *others = (record.counts() for record in records)
    for other in others:
        first.update(other)
    return first
