"""The periodic job that computes the daily counts from the interaction log."""

from datetime import date, timedelta

import pymongo

from analytics_service.activity.repository import ActivityLogRepository, DailyCountRepository
from cogniflow_kit.ids import utc_now
from cogniflow_kit.sql.database import Database

JOB = "course_analytics"
EVERY = timedelta(minutes=10)

# Clocks of replicas differ, and an event gets `stored_at` shortly before it is written. So each run reads
# the last ten minutes before the previous one again.
_OVERLAP = timedelta(minutes=10)

# Three seconds, the limit for requests, are not enough for a large log. A day is counted inside a
# transaction, which PostgreSQL ends after 30 s without a statement.
_FIND_DAYS_TIMEOUT_S = 120
_COUNT_DAY_TIMEOUT_S = 25


class DailyCountsJob:
    """Recomputes each day for which events were stored since the last run, late events included.

    Repeated and concurrent runs give the same rows. Without a position in
    `log_readings` a run goes through the whole log.
    """

    def __init__(self, database: Database, log: ActivityLogRepository) -> None:
        self._database = database
        self._log = log

    def run(self) -> list[date]:
        """Return the days that were computed."""
        started = utc_now()
        with self._database.transaction() as db:
            read_to = DailyCountRepository(db).read_to()
        with pymongo.timeout(_FIND_DAYS_TIMEOUT_S):
            days = self._log.days_stored_since(read_to - _OVERLAP if read_to else None)
        for day in days:
            self._compute(day)
        with self._database.transaction() as db:
            DailyCountRepository(db).set_read_to(started)
        return days

    def _compute(self, day: date) -> None:
        with self._database.transaction() as db:
            counts = DailyCountRepository(db)
            # Lock before counting: an older count must not replace a newer one.
            counts.lock_day(day)
            with pymongo.timeout(_COUNT_DAY_TIMEOUT_S):
                rows = self._log.count_day(day)
            counts.replace_day(day, rows)
