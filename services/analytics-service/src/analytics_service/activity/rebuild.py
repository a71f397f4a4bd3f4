"""The periodic job that keeps the daily counts in step with the log."""

from datetime import date, timedelta

import pymongo

from analytics_service.activity.log import ActivityLog
from analytics_service.activity.repository import DailyCounts
from cogniflow_kit.ids import utc_now
from cogniflow_kit.sql.database import Database

JOB = "course_analytics"
EVERY = timedelta(minutes=10)

# Replicas' clocks differ, and an event gets its time shortly before it is on disk.
_OVERLAP = timedelta(minutes=10)

# A request's three seconds are too few for a large log. One day is counted
# within a transaction, which PostgreSQL ends after 30 s of silence.
_FIND_DAYS_S = 120
_COUNT_DAY_S = 25


class DailyRebuild:
    """Computes every day anew that got events since the last run, however late they came.

    Repeating it, or running it twice at once, gives the same rows. Without a
    mark in `log_readings` it goes through the whole log.
    """

    def __init__(self, database: Database, log: ActivityLog) -> None:
        self._database = database
        self._log = log

    def run(self) -> list[date]:
        """Return the days computed."""
        started = utc_now()
        with self._database.transaction() as session:
            read_to = DailyCounts(session).read_to()
        with pymongo.timeout(_FIND_DAYS_S):
            days = self._log.days_stored_since(read_to - _OVERLAP if read_to else None)
        for day in days:
            self._compute(day)
        with self._database.transaction() as session:
            DailyCounts(session).set_read_to(started)
        return days

    def _compute(self, day: date) -> None:
        with self._database.transaction() as session:
            counts = DailyCounts(session)
            # Claimed before counting: an older count must not replace a newer one.
            counts.claim(day)
            with pymongo.timeout(_COUNT_DAY_S):
                rows = self._log.day(day)
            counts.replace(day, rows)
