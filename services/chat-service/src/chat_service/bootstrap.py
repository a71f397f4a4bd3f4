"""What has to exist before the first request. Repeating it does no harm."""

from contextlib import closing
from pathlib import Path

import structlog
from sqlalchemy.exc import OperationalError

from chat_service.indexes import ensure_indexes
from chat_service.platform.retention.partitions import MessagesBusy, open_months
from chat_service.platform.settings.vault import reseal
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
    """Tables, MongoDB indexes and the bundled programs, which belong to every installation."""
    configure_logging(settings.service, settings.log_level)
    try:
        _prepare_database(settings)
    except OperationalError as error:
        if not settings.in_memory:
            raise
        log.warning("tables not prepared, PostgreSQL is away", error=type(error).__name__)
    with closing(Mongo(settings.mongo_url.get_secret_value())) as mongo:
        ensure_indexes(mongo)


def _prepare_database(settings: Settings) -> None:
    url = settings.database_url.get_secret_value()
    migrate(url, MIGRATIONS)
    with closing(Database(url, application=settings.service)) as database:
        reseal(database, settings.vault)
        _open_months(database)
        publish_folder(database, settings.content_dir / "programs")


def _open_months(database: Database) -> None:
    """Without its month a message is kept all the same, so a backup that runs for long delays no start."""
    try:
        open_months(database, utc_now().date())
    except MessagesBusy as error:
        log.warning("the months of messages are left to the worker", reason=str(error))
