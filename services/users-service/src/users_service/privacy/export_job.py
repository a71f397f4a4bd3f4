"""The worker's part of exports: builds archives, and deletes old ones."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any
from uuid import UUID

from sqlalchemy.orm import Session

from cogniflow_kit.ids import utc_now
from cogniflow_kit.sql.database import Database
from users_service.privacy.archive import ArchiveWriter
from users_service.privacy.personal_data import DataSource
from users_service.privacy.repository import ExportRepository

EXPORT_JOB = "export_person"
LIFETIME = timedelta(hours=24)
_MAX_DURATION = timedelta(hours=24)
"""How long an export is retried while other services are unavailable."""
_KEEP_DOWNLOADED = timedelta(hours=1)


class ExportJob:
    """Builds the archive of one export. A repeated run starts from the beginning.

    `sources`: the personal data of each service, by the name of its part.
    """

    def __init__(self, database: Database, sources: Mapping[str, DataSource]) -> None:
        self._database = database
        self._sources = sources

    def run(self, arguments: Mapping[str, Any]) -> None:
        """Job: build the export `export_id`. Raises: Unavailable (when a service can't be reached)."""
        export_id = UUID(arguments["export_id"])
        with self._database.transaction() as db:
            user_id = ExportRepository(db).start(export_id)
        if user_id is None:
            return
        archive = ArchiveWriter(self._database, export_id)
        for done, (part, source) in enumerate(self._sources.items(), start=1):
            archive.add(part, source, user_id)
            self._update(export_id, parts_done=done)
        archive.close()
        self._update(export_id, status="ready", expires_at=utc_now() + LIFETIME)

    def _update(self, export_id: UUID, **columns: Any) -> None:
        with self._database.transaction() as db:
            ExportRepository(db).update(export_id, **columns)


def unfinished_exports(db: Session) -> list[UUID]:
    """Fail the exports that took longer than a day, and return the ids of the other unfinished ones."""
    exports = ExportRepository(db)
    exports.fail_older_than(_MAX_DURATION)
    return exports.unfinished()


def delete_old_archives(db: Session) -> None:
    """Delete the content of expired and downloaded archives; the export's row stays."""
    ExportRepository(db).delete_old_chunks(_KEEP_DOWNLOADED)
