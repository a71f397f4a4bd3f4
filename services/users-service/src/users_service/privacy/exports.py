"""Exports: asked for, made by a job, downloaded once."""

import json
from collections.abc import Iterator, Mapping
from datetime import timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import delete, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from cogniflow_kit.ids import new_id, utc_now
from cogniflow_kit.jobs import Jobs
from cogniflow_kit.sql.database import Database
from users_service.accounts.errors import UserNotFound
from users_service.audit.trail import EventType, Trail
from users_service.privacy.archive import ArchiveWriter, forget_pieces, read_pieces
from users_service.privacy.errors import ExportGone, ExportNotFound, ExportNotReady
from users_service.privacy.others import Source
from users_service.privacy.schemas import ExportOut
from users_service.tables import DataExport, DataExportChunk, User

EXPORT = "export_person"
PARTS_TOTAL = 4
LIFETIME = timedelta(hours=24)
_PATIENCE = timedelta(hours=24)
"""How long the other services may be away before an export is given up."""
_OPEN = DataExport.status.in_(("queued", "running"))


class Exports:
    def __init__(self, db: Session, trail: Trail, jobs: Jobs) -> None:
        self._db = db
        self._trail = trail
        self._jobs = jobs

    def request(self, user_id: UUID) -> ExportOut:
        """A new export, or the one that is being made already."""
        account = select(User.id).where(User.id == user_id).with_for_update(key_share=True)
        if self._db.scalar(account) is None:
            raise UserNotFound("There is no such user.")
        adding = insert(DataExport).values(id=new_id(), user_id=user_id).on_conflict_do_nothing()
        new_export = self._db.scalar(adding.returning(DataExport.id))
        if new_export is not None:
            self._jobs.enqueue(self._db, EXPORT, json.dumps({"export_id": str(new_export)}))
            self._trail.record(EventType.EXPORT_REQUESTED, user_id=user_id, export_id=str(new_export))
        return _shown(self._db.scalars(select(DataExport).where(_OPEN, _of(user_id))).one())

    def get(self, user_id: UUID, export_id: UUID) -> ExportOut:
        return _shown(self._own(user_id, export_id))

    def take(self, user_id: UUID, export_id: UUID) -> None:
        """Mark as downloaded, which happens once. Raises ExportNotReady or ExportGone."""
        export = self._own(user_id, export_id, lock=True)
        if export.status in ("queued", "running"):
            raise ExportNotReady("The archive is still being made; ask for its progress.")
        expired = export.expires_at is None or export.expires_at <= utc_now()
        if export.status != "ready" or export.downloaded_at is not None or expired:
            raise ExportGone("The archive was downloaded or has expired; ask for a new one.")
        export.downloaded_at = utc_now()
        self._trail.record(EventType.EXPORT_DOWNLOADED, user_id=user_id, export_id=str(export_id))

    def _own(self, user_id: UUID, export_id: UUID, *, lock: bool = False) -> DataExport:
        wanted = select(DataExport).where(DataExport.id == export_id, _of(user_id))
        export = self._db.scalars(wanted.with_for_update() if lock else wanted).first()
        if export is None:
            raise ExportNotFound("There is no such export.")
        return export


def _of(user_id: UUID) -> Any:
    return DataExport.user_id == user_id


def _shown(export: DataExport) -> ExportOut:
    return ExportOut.model_validate({**vars(export), "parts_total": PARTS_TOTAL})


def download(database: Database, export_id: UUID) -> Iterator[bytes]:
    """The archive in pieces, which are forgotten behind the last one."""
    yield from read_pieces(database, export_id)
    forget_pieces(database, export_id)


class ExportJob:
    """Makes archives. Repeating it begins anew."""

    def __init__(self, database: Database, sources: Mapping[str, Source]) -> None:
        self._database = database
        self._sources = sources

    def run(self, arguments: Mapping[str, Any]) -> None:
        export_id = UUID(arguments["export_id"])
        user_id = self._begin(export_id)
        if user_id is None:
            return
        archive = ArchiveWriter(self._database, export_id)
        for done, (part, source) in enumerate(self._sources.items(), start=1):
            archive.add(part, source, user_id)
            self._set(export_id, parts_done=done)
        archive.close()
        self._set(export_id, status="ready", expires_at=utc_now() + LIFETIME)

    def _begin(self, export_id: UUID) -> UUID | None:
        """Whose export it is, unless it is made or given up already."""
        beginning = (
            update(DataExport)
            .where(DataExport.id == export_id, _OPEN)
            .values(status="running", parts_done=0)
            .returning(DataExport.user_id)
        )
        with self._database.transaction() as db:
            return db.scalar(beginning)

    def _set(self, export_id: UUID, **columns: Any) -> None:
        with self._database.transaction() as db:
            db.execute(update(DataExport).where(DataExport.id == export_id).values(**columns))


def unfinished(db: Session) -> list[UUID]:
    """Give up what couldn't be made in a day; the rest of what isn't made."""
    old = DataExport.created_at < utc_now() - _PATIENCE
    db.execute(update(DataExport).where(_OPEN, old).values(status="failed"))
    return list(db.scalars(select(DataExport.id).where(_OPEN)))


def forget_archives(db: Session) -> None:
    """Archives go when they have expired or were downloaded an hour ago; that there was one stays known."""
    now = utc_now()
    over = (DataExport.expires_at <= now) | (DataExport.downloaded_at < now - timedelta(hours=1))
    expired = select(DataExport.id).where(over)
    db.execute(delete(DataExportChunk).where(DataExportChunk.export_id.in_(expired)))
