"""What has to exist before the first request. Repeating it does no harm."""

from contextlib import closing
from pathlib import Path

from chat_service.indexes import ensure_indexes
from chat_service.programs.loader import publish_folder
from chat_service.settings import Settings
from cogniflow_kit.logging import configure_logging
from cogniflow_kit.mongo import Mongo
from cogniflow_kit.sql.database import Database
from cogniflow_kit.sql.migrations import migrate

MIGRATIONS = Path(__file__).parent / "migrations"


def prepare(settings: Settings) -> None:
    """Tables, MongoDB indexes and the bundled programmes, which belong to every installation."""
    configure_logging(settings.service, settings.log_level)
    url = settings.database_url.get_secret_value()
    migrate(url, MIGRATIONS)
    with closing(Mongo(settings.mongo_url.get_secret_value())) as mongo:
        ensure_indexes(mongo)
    with closing(Database(url, application=settings.service)) as database:
        publish_folder(database, settings.content_dir / "programs")
