"""The background process of a service: jobs, outbox relay and scheduler.

The three roles share a process, because a Python process takes about 60 MB and
each role is idle most of the time; `--role` runs them separately.
"""

import argparse
import signal
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from functools import partial
from pathlib import Path
from threading import Event as Flag
from threading import Thread

import structlog
from dramatiq import Worker as DramatiqWorker
from sqlalchemy import text

from cogniflow_kit.clients import ServiceClient
from cogniflow_kit.events import EventSender, Outbox
from cogniflow_kit.ids import utc_now
from cogniflow_kit.jobs import PRUNE as PRUNE_JOBS
from cogniflow_kit.jobs import Jobs, Schedule
from cogniflow_kit.logging import configure_logging
from cogniflow_kit.settings import ServiceSettings
from cogniflow_kit.sql.database import Database
from cogniflow_kit.sql.idempotency import PRUNE as PRUNE_KEYS
from cogniflow_kit.sql.outbox import PRUNE as PRUNE_OUTBOX

log = structlog.stdlib.get_logger(__name__)

ROLES = ("jobs", "relay", "scheduler")
_LEADER = text(
    "SELECT pg_try_advisory_xact_lock(hashtext('cogniflow-scheduler'), hashtext(current_schema()))"
)


@dataclass
class Worker:
    """A service's worker process; `main` runs it."""

    settings: ServiceSettings
    database: Database
    jobs: Jobs
    outboxes: Sequence[Outbox] = ()
    schedules: list[Schedule] = field(default_factory=list)
    stopping: Flag = field(default_factory=Flag)

    def __post_init__(self) -> None:
        self.schedules.append(Schedule("prune", timedelta(hours=1)))
        self.jobs.handler("prune", lambda _: self._prune())

    def main(self) -> None:
        """Run until SIGTERM or SIGINT, then finish the running jobs."""
        parser = argparse.ArgumentParser(description=f"Background work of {self.settings.service}.")
        parser.add_argument("--role", action="append", choices=ROLES, help="only this role (repeatable)")
        roles = parser.parse_args().role or ROLES
        configure_logging(f"{self.settings.schema_name}-worker", self.settings.log_level)
        for signum in (signal.SIGTERM, signal.SIGINT):
            signal.signal(signum, lambda *_: self.stopping.set())
        self._await_tables()
        if not self.stopping.is_set():
            self._run(roles)

    def _run(self, roles: Sequence[str]) -> None:
        log.info("started", roles=list(roles))
        consumer = DramatiqWorker(self.jobs.broker, worker_threads=2) if "jobs" in roles else None
        threads = [
            Thread(target=loop, daemon=True, name=role)
            for role, loop in (("relay", self._relay), ("scheduler", self._schedule))
            if role in roles
        ]
        if consumer is not None:
            consumer.start()
        for thread in threads:
            thread.start()
        while not self.stopping.wait(5):
            self._beat()
        for thread in threads:
            thread.join(timeout=10)
        if consumer is not None:
            consumer.stop(timeout=10_000)
        log.info("stopped")

    def _beat(self) -> None:
        path: Path | None = self.settings.worker_heartbeat
        if path is not None:
            path.touch()

    def _await_tables(self) -> None:
        ready = False
        while not ready and not self.stopping.is_set():
            ready = self._attempt("waiting for tables", self._tables_exist)
            self._beat()
            self.stopping.wait(0 if ready else 0.5)

    def _tables_exist(self) -> None:
        with self.database.transaction() as db:
            db.execute(text("SELECT 1 FROM jobs LIMIT 1"))

    def _relay(self) -> None:
        settings = self.settings
        deliver = EventSender(ServiceClient(settings, "analytics-service", settings.analytics_url))
        pause_s = 0.5
        while not self.stopping.wait(pause_s):
            delivered = [self._attempt("relay", partial(_drain, box, deliver)) for box in self.outboxes]
            pause_s = 0.5 if all(delivered) else min(pause_s * 2, 10.0)

    def _schedule(self) -> None:
        while not self.stopping.wait(1):
            self._attempt("scheduler", self._enqueue_due)
            self._attempt("sweeper", self.jobs.sweep)

    def _enqueue_due(self) -> None:
        with self.database.transaction() as db:
            if db.scalar(_LEADER):
                for schedule in self.schedules:
                    self.jobs.enqueue(db, schedule.name, slot=schedule.slot(utc_now()))

    def _attempt(self, what: str, action: Callable[[], object]) -> bool:
        """Call the action and log any exception, so that the loop goes on; returns whether it succeeded."""
        try:
            action()
        except Exception as error:  # noqa: BLE001 -- see above
            log.warning("will try again", what=what, error=type(error).__name__)
            time.sleep(0.2)
            return False
        return True

    def _prune(self) -> None:
        with self.database.transaction() as db:
            for statement in (PRUNE_JOBS, PRUNE_KEYS, PRUNE_OUTBOX):
                db.execute(statement)


def _drain(outbox: Outbox, deliver: EventSender) -> None:
    while outbox.relay_batch(deliver):
        pass
