"""`python -m courses_service.worker`: delivers events from both outboxes and prunes tables."""

from cogniflow_kit.jobs import Jobs
from cogniflow_kit.mongo import Mongo, MongoOutbox
from cogniflow_kit.sql.database import Database
from cogniflow_kit.sql.outbox import SqlOutbox
from cogniflow_kit.worker import Worker
from courses_service.indexes import QUIZ_ATTEMPTS
from courses_service.settings import Settings


def build_worker(settings: Settings) -> Worker:
    database = Database(settings.database_url.get_secret_value(), application="courses-worker")
    mongo = Mongo(settings.mongo_url.get_secret_value())
    return Worker(
        settings,
        database,
        Jobs(database, settings.redis_url.get_secret_value(), settings.schema_name),
        outboxes=[SqlOutbox(database), MongoOutbox(mongo.collection(QUIZ_ATTEMPTS))],
    )


if __name__ == "__main__":
    build_worker(Settings()).main()
