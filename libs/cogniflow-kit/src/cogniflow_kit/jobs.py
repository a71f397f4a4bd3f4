"""Background jobs: rows in PostgreSQL, announced by Dramatiq messages on Redis.

A message holds only the id of the row. The sweeper sends lost messages again;
a duplicate message finds the row claimed. A job runs at least once, so
handlers must be idempotent.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import dramatiq
import structlog
from dramatiq.brokers.redis import RedisBroker
from dramatiq.middleware import ShutdownNotifications, TimeLimit
from redis import Redis
from redis.backoff import NoBackoff
from redis.exceptions import RedisError
from redis.retry import Retry
from sqlalchemy import event, text
from sqlalchemy.orm import Session

from cogniflow_kit.ids import new_id
from cogniflow_kit.sql.database import Database

log = structlog.stdlib.get_logger(__name__)

LEASE = timedelta(minutes=5)
MAX_ATTEMPTS = 8
Handler = Callable[[Mapping[str, Any]], None]

_ADD = text(
    "INSERT INTO jobs (id, name, arguments, slot) VALUES (:id, :name, CAST(:arguments AS jsonb), :slot)"
    " ON CONFLICT (name, slot) DO NOTHING RETURNING id"
)
_CLAIM = text(
    "UPDATE jobs SET status = 'running', attempts = attempts + 1, due_at = now() + :lease"
    " WHERE id = (SELECT id FROM jobs WHERE id = :id AND status IN ('queued', 'running')"
    " AND due_at <= now() FOR UPDATE SKIP LOCKED) RETURNING name, arguments, attempts"
)
_GIVE_UP = text(
    "UPDATE jobs SET status = 'failed', error = 'its worker died or ran out of time'"
    " WHERE status = 'running' AND due_at <= now() AND attempts >= :attempts"
)
_DONE = text("UPDATE jobs SET status = 'done', finished_at = now() WHERE id = :id")
_AGAIN = text("UPDATE jobs SET status = :status, due_at = now() + :delay, error = :error WHERE id = :id")
_OVERDUE = text(
    "UPDATE jobs SET sent_at = now() WHERE id IN (SELECT id FROM jobs"
    " WHERE status IN ('queued', 'running') AND due_at <= now() AND sent_at < now() - interval '10 seconds'"
    " ORDER BY id LIMIT 500 FOR UPDATE SKIP LOCKED) RETURNING id"
)
# The latest row of a periodic job stays: it marks its slot as taken.
PRUNE = text(
    "DELETE FROM jobs WHERE status = 'done' AND finished_at < now() - interval '1 day' AND (slot IS NULL"
    " OR EXISTS (SELECT FROM jobs later WHERE later.name = jobs.name AND later.slot > jobs.slot))"
)


@dataclass(frozen=True)
class Schedule:
    """A periodic job, enqueued once per slot of length `every` by any one replica."""

    name: str
    every: timedelta

    def slot(self, now: datetime) -> datetime:
        seconds = self.every.total_seconds()
        return datetime.fromtimestamp(now.timestamp() // seconds * seconds, tz=now.tzinfo)


class Jobs:
    """The service's job queue: `enqueue` in requests, `perform` in the worker."""

    def __init__(self, database: Database, redis_url: str, prefix: str) -> None:
        self._database = database
        self._handlers: dict[str, Handler] = {}
        # maintenance_chance: every fetch looks for messages of killed workers; by default those can
        # wait for minutes.
        self.broker = RedisBroker(  # type: ignore[no-untyped-call]
            client=Redis.from_url(
                redis_url, socket_timeout=5.0, socket_connect_timeout=0.5, retry=Retry(NoBackoff(), 1)
            ),
            namespace=f"{prefix}:jobs",
            maintenance_chance=1_000_000,
            heartbeat_timeout=20_000,
            middleware=[TimeLimit(time_limit=LEASE / timedelta(milliseconds=1)), ShutdownNotifications()],
        )
        self._actor = dramatiq.actor(broker=self.broker, actor_name="perform")(self.perform)

    def handler(self, name: str, run: Handler) -> None:
        self._handlers[name] = run

    def enqueue(
        self, db: Session, name: str, arguments: str = "{}", slot: datetime | None = None
    ) -> UUID | None:
        """Add a job to the transaction; its message is sent after the commit.

        `arguments`: JSON. Returns the job's id, None when the slot is taken already.
        """
        values = {"id": str(new_id()), "name": name, "arguments": arguments, "slot": slot}
        job_id: UUID | None = db.scalar(_ADD, values)
        if job_id is not None:
            event.listen(db, "after_commit", lambda _: self._send([job_id]), once=True)
        return job_id

    def _send(self, job_ids: Sequence[UUID]) -> None:
        try:
            for job_id in job_ids:
                self._actor.send(str(job_id))
        except RedisError as error:
            log.warning("jobs wait for the sweeper", count=len(job_ids), error=type(error).__name__)

    def perform(self, job_id: str) -> None:
        with self._database.transaction() as db:
            job = db.execute(_CLAIM, {"id": job_id, "lease": LEASE}).first()
        if job is None:
            return
        try:
            self._handlers[job.name](job.arguments)
        except Exception as error:
            # All failures of jobs end here: logged and recorded, then repeated later.
            log.exception("job failed", job=job.name, job_id=job_id, attempt=job.attempts)
            self._repeat(job_id, job.attempts, type(error).__name__)
        else:
            with self._database.transaction() as db:
                db.execute(_DONE, {"id": job_id})

    def _repeat(self, job_id: str, attempts: int, error: str) -> None:
        status = "failed" if attempts >= MAX_ATTEMPTS else "queued"
        delay = timedelta(seconds=2**attempts)
        with self._database.transaction() as db:
            db.execute(_AGAIN, {"id": job_id, "status": status, "delay": delay, "error": error})

    def sweep(self) -> int:
        """Send messages again for jobs that are due and not claimed; returns their number."""
        with self._database.transaction() as db:
            db.execute(_GIVE_UP, {"attempts": MAX_ATTEMPTS})
            overdue = list(db.scalars(_OVERDUE))
        self._send(overdue)
        return len(overdue)
