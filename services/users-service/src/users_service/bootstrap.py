"""Creates what the service needs before its first request. A repetition changes nothing."""

from contextlib import closing
from pathlib import Path

from cogniflow_kit.logging import configure_logging
from cogniflow_kit.sql.database import Database
from cogniflow_kit.sql.migrations import migrate
from users_service.demo_users import load_demo_users
from users_service.keys.service import KeyRing
from users_service.login.service_tokens import register_clients
from users_service.privacy.erasure_job import replay_ledger
from users_service.privacy.erasure_ledger import ErasureLedger
from users_service.settings import Settings

MIGRATIONS = Path(__file__).parent / "migrations"


def bootstrap(settings: Settings) -> None:
    """Create tables, the first signing key, service clients and, if configured, the demo accounts.

    Also closes the accounts of erased users whom a restored backup brought back.
    """
    configure_logging(settings.service, settings.log_level)
    url = settings.database_url.get_secret_value()
    migrate(url, MIGRATIONS)
    with closing(Database(url, application=settings.service)) as database:
        KeyRing(database, settings.key_encryption_secret).ensure_key()
        register_clients(database, settings)
        ledger = ErasureLedger(settings.erasure_ledger)
        replay_ledger(database, ledger)
        if settings.demo_data:
            load_demo_users(database, settings, but={entry.user_id for entry in ledger.entries()})
