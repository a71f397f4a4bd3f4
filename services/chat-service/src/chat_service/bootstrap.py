"""Creates what the service needs before its first request. A repetition changes nothing."""

from contextlib import closing
from pathlib import Path

import structlog
from sqlalchemy.exc import OperationalError

from chat_service.indexes import create_indexes
from chat_service.platform.retention.partitions import MessagesLocked, create_next_months
from chat_service.platform.settings.dependencies import secret_cipher
from chat_service.platform.settings.encryption import reencrypt_secrets
from chat_service.programs.content.loader import publish_folder
from chat_service.settings import Settings
from cogniflow_kit.ids import utc_now
from cogniflow_kit.logging import configure_logging
from cogniflow_kit.mongo import Mongo
from cogniflow_kit.sql.database import Database
from cogniflow_kit.sql.migrations import migrate

log = structlog.stdlib.get_logger(__name__)

MIGRATIONS = Path(__file__).parent / "migrations"


def bootstrap(settings: Settings) -> None:
    """Migrate PostgreSQL, create MongoDB indexes, and publish the bundled programs.

    With USE_DB_PERSISTENCE off, an outage of PostgreSQL is logged and skipped.
    """
    configure_logging(settings.service, settings.log_level)
    try:
        _bootstrap_database(settings)
    except OperationalError as error:
        if not settings.in_memory:
            raise
        log.warning("PostgreSQL is unavailable, tables not created", error=type(error).__name__)
    with closing(Mongo(settings.mongo_url.get_secret_value())) as mongo:
        create_indexes(mongo)


def _bootstrap_database(settings: Settings) -> None:
    url = settings.database_url.get_secret_value()
    migrate(url, MIGRATIONS)
    with closing(Database(url, application=settings.service)) as database:
        reencrypt_secrets(database, secret_cipher(settings))
        _create_months(database)
        publish_folder(database, settings.content_dir / "programs")


def _create_months(database: Database) -> None:
    """Create monthly partitions, unless a long backup holds the locks.

    A start must not wait for a backup. Messages without a partition go to the
    default one, and the worker tries again.
    """
    try:
        create_next_months(database, utc_now().date())
    except MessagesLocked as error:
        log.warning("monthly partitions left to the worker", reason=str(error))
