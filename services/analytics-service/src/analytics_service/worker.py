"""`python -m analytics_service.worker`: computes the daily counts and delivers events."""

import structlog

from analytics_service.activity.daily_counts_job import EVERY, JOB, DailyCountsJob
from analytics_service.activity.repository import ActivityLogRepository
from analytics_service.settings import Settings
from cogniflow_kit.jobs import Jobs, Schedule
from cogniflow_kit.mongo import Mongo
from cogniflow_kit.sql.database import Database
from cogniflow_kit.sql.outbox import SqlOutbox
from cogniflow_kit.worker import Worker

log = structlog.stdlib.get_logger(__name__)


def build_worker(settings: Settings) -> Worker:
    database = Database(settings.database_url.get_secret_value(), application="analytics-worker")
    mongo = Mongo(settings.mongo_url.get_secret_value())
    jobs = Jobs(database, settings.redis_url.get_secret_value(), settings.schema_name)
    daily_counts = DailyCountsJob(database, ActivityLogRepository(mongo))
    jobs.handler(JOB, lambda _: _compute(daily_counts))
    return Worker(
        settings,
        database,
        jobs,
        outboxes=[SqlOutbox(database)],
        schedules=[Schedule(JOB, EVERY)],
    )


def _compute(daily_counts: DailyCountsJob) -> None:
    log.info("daily counts computed", days=[str(day) for day in daily_counts.run()])


if __name__ == "__main__":
    build_worker(Settings()).main()
