"""The worker's part: clearing up every hour, months of messages every day."""

import structlog

from chat_service.platform.retention.deletion import clear_up
from chat_service.platform.retention.partitions import detach_before, months_before, open_months, persistently
from chat_service.platform.retention.policy import Policy
from chat_service.platform.settings.reader import SettingsReader
from chat_service.platform.settings.registry import KEEP_MONTHS
from cogniflow_kit.ids import utc_now
from cogniflow_kit.sql.database import Database

log = structlog.stdlib.get_logger(__name__)

CLEAR_UP = "clear_up"
TEND_MONTHS = "tend_months"


def clear_up_now(database: Database, configuration: SettingsReader) -> None:
    """Raises when PostgreSQL is away; the job is repeated then."""
    clear_up(database, Policy.read(configuration))


def tend_months(database: Database, configuration: SettingsReader) -> None:
    """Make the months ahead, cut off those that aren't kept. Raises MessagesBusy, to be repeated."""
    configuration.renew()
    today, kept = utc_now().date(), configuration.get(KEEP_MONTHS)
    made = open_months(database, today)
    cut_off = []
    if kept:
        oldest = months_before(today, kept)
        cut_off = persistently(database, lambda session: detach_before(session, oldest))
    if made or cut_off:
        log.info("months of messages", made=made, cut_off=cut_off)
