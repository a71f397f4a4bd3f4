"""Creates what the service needs before its first request. A repetition changes nothing."""

from contextlib import closing
from pathlib import Path

from analytics_service.indexes import create_indexes
from analytics_service.settings import Settings
from cogniflow_kit.logging import configure_logging
from cogniflow_kit.mongo import Mongo
from cogniflow_kit.sql.migrations import migrate

MIGRATIONS = Path(__file__).parent / "migrations"


def bootstrap(settings: Settings) -> None:
    """Migrate PostgreSQL and create MongoDB indexes. The service has no demo data."""
    configure_logging(settings.service, settings.log_level)
    migrate(settings.database_url.get_secret_value(), MIGRATIONS)
    with closing(Mongo(settings.mongo_url.get_secret_value())) as mongo:
        create_indexes(mongo)
