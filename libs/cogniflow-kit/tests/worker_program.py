"""A service's worker, run by the tests as a process of its own."""

import os
import time
from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any, ClassVar

from sqlalchemy import text

from cogniflow_kit.jobs import Jobs, Schedule
from cogniflow_kit.settings import ServiceSettings
from cogniflow_kit.sql.database import Database
from cogniflow_kit.sql.outbox import SqlOutbox
from cogniflow_kit.worker import Worker

COUNT_ONE = text(
    "INSERT INTO things (id, name) VALUES (gen_random_uuid(), :name)"
    " ON CONFLICT (name) DO UPDATE SET count = things.count + 1"
)


class Settings(ServiceSettings):
    service: ClassVar[str] = "kit-service"
    schema_name: ClassVar[str] = "kit"


def main() -> None:
    settings = Settings()
    database = Database(settings.database_url.get_secret_value(), application="kit-worker")
    jobs = Jobs(database, settings.redis_url.get_secret_value(), os.environ["REDIS_PREFIX"])

    def count(arguments: Mapping[str, Any]) -> None:
        """Count the name once, after some seconds; the very first run can be made to hang."""
        marker = Path(arguments.get("hangs_once", os.devnull))
        if not marker.exists():
            marker.touch()
            time.sleep(60)
        time.sleep(arguments.get("seconds", 0))
        with database.transaction() as session:
            session.execute(COUNT_ONE, {"name": arguments["name"]})

    jobs.handler("count", count)
    jobs.handler("tick", lambda _: count({"name": "tick"}))
    Worker(
        settings,
        database,
        jobs,
        outboxes=[SqlOutbox(database)],
        schedules=[Schedule("tick", timedelta(seconds=1))],
    ).main()


if __name__ == "__main__":
    main()
