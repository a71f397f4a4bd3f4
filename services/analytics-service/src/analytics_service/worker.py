"""`python -m analytics_service.worker`: keeps the daily counts in step with the log."""

import structlog

from analytics_service.activity.log import ActivityLog
from analytics_service.activity.rebuild import EVERY, JOB, DailyRebuild
from analytics_service.settings import Settings
from cogniflow_kit.jobs import Jobs, Schedule
from cogniflow_kit.mongo import Mongo
from cogniflow_kit.sql.database import Database
from cogniflow_kit.sql.outbox import SqlOutbox
from cogniflow_kit.worker import Worker

log = structlog.stdlib.get_logger(__name__)


def build(settings: Settings) -> Worker:
    database = Database(settings.database_url.get_secret_value(), application="analytics-worker")
    mongo = Mongo(settings.mongo_url.get_secret_value())
    jobs = Jobs(database, settings.redis_url.get_secret_value(), settings.schema_name)
    rebuild = DailyRebuild(database, ActivityLog(mongo))
    jobs.handler(JOB, lambda _: _rebuild(rebuild))
    return Worker(
        settings,
        database,
        jobs,
        outboxes=[SqlOutbox(database)],
        schedules=[Schedule(JOB, EVERY)],
    )


def _rebuild(rebuild: DailyRebuild) -> None:
    log.info("daily counts computed", days=[str(day) for day in rebuild.run()])


if __name__ == "__main__":
    build(Settings()).main()
