"""Creates what the service needs before its first request. A repetition changes nothing."""

from pathlib import Path

from cogniflow_kit.logging import configure_logging
from cogniflow_kit.mongo import Mongo
from cogniflow_kit.sql.database import Database
from cogniflow_kit.sql.migrations import migrate
from courses_service.demo.loader import load_demo_courses
from courses_service.indexes import create_indexes
from courses_service.settings import Settings

MIGRATIONS = Path(__file__).parent / "migrations"


def bootstrap(settings: Settings) -> None:
    """Migrate PostgreSQL, create MongoDB indexes and, with `demo_data`, load the bundled courses."""
    configure_logging(settings.service, settings.log_level)
    url = settings.database_url.get_secret_value()
    migrate(url, MIGRATIONS)
    mongo = Mongo(settings.mongo_url.get_secret_value())
    database = Database(url, application=settings.service)
    try:
        create_indexes(mongo)
        if settings.demo_data:
            load_demo_courses(database, settings.content_dir)
    finally:
        mongo.close()
        database.close()
