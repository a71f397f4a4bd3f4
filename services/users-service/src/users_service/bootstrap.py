"""What has to exist before the first request. Repeating it does no harm."""

from pathlib import Path

from cogniflow_kit.logging import configure_logging
from cogniflow_kit.sql.database import Database
from cogniflow_kit.sql.migrations import migrate
from users_service.demo import load_demo_users
from users_service.keys.service import KeyRing
from users_service.login.clients import register_clients
from users_service.privacy.ledger import Ledger
from users_service.privacy.pipeline import replay
from users_service.settings import Settings

MIGRATIONS = Path(__file__).parent / "migrations"


def bootstrap(settings: Settings) -> None:
    """Tables, the first signing key, nobody who was erased and, where asked for, the demo logins."""
    configure_logging(settings.service, settings.log_level)
    url = settings.database_url.get_secret_value()
    migrate(url, MIGRATIONS)
    database = Database(url, application=settings.service)
    try:
        KeyRing(database, settings.key_encryption_secret).ensure_key()
        register_clients(database, settings)
        ledger = Ledger(settings.erasure_ledger)
        replay(database, ledger)
        if settings.demo_data:
            load_demo_users(database, settings, but={entry.user_id for entry in ledger.entries()})
    finally:
        database.close()
