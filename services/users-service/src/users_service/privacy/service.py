"""Rules of exports and erasures that users ask for; the worker carries them out."""

import json
from collections.abc import Iterator
from datetime import timedelta
from uuid import UUID

from sqlalchemy.orm import Session

from cogniflow_kit.ids import utc_now
from cogniflow_kit.jobs import Jobs
from cogniflow_kit.sql.database import Database
from users_service.accounts.errors import LastAdmin, UserNotFound
from users_service.accounts.passwords import PasswordConfirmation
from users_service.accounts.repository import UserRepository
from users_service.audit.event_types import EventType
from users_service.audit.service import AuditLog
from users_service.privacy.archive import read_archive
from users_service.privacy.errors import (
    ErasureNotFound,
    ErasureRunning,
    ExportGone,
    ExportNotFound,
    ExportNotReady,
)
from users_service.privacy.export_job import EXPORT_JOB
from users_service.privacy.repository import ErasureRepository, ExportRepository
from users_service.privacy.schemas import ExportOut
from users_service.tables import DataExport, ErasureRequest

GRACE_PERIOD = timedelta(days=14)
"""How long an erasure can be canceled."""
_PARTS_TOTAL = 4


class Exports:
    """Exports of the caller's personal data, downloadable once."""

    def __init__(self, db: Session, audit: AuditLog, jobs: Jobs) -> None:
        self._db = db
        self._exports = ExportRepository(db)
        self._audit = audit
        self._jobs = jobs

    def request(self, user_id: UUID) -> ExportOut:
        """Queue an export, or return the user's unfinished one. Raises: UserNotFound."""
        if not self._exports.lock_user(user_id):
            raise UserNotFound
        export_id = self._exports.add(user_id)
        if export_id is not None:
            self._jobs.enqueue(self._db, EXPORT_JOB, json.dumps({"export_id": str(export_id)}))
            self._audit.record(EventType.EXPORT_REQUESTED, user_id=user_id, export_id=str(export_id))
        return _export_out(self._exports.unfinished_of(user_id))

    def get(self, user_id: UUID, export_id: UUID) -> ExportOut:
        """Raises: ExportNotFound."""
        return _export_out(self._own(user_id, export_id))

    def start_download(self, user_id: UUID, export_id: UUID) -> None:
        """Mark the export as downloaded, which is possible once.

        Raises: ExportNotFound, ExportNotReady, ExportGone.
        """
        export = self._own(user_id, export_id, lock=True)
        if export.status in ("queued", "running"):
            raise ExportNotReady
        expired = export.expires_at is None or export.expires_at <= utc_now()
        if export.status != "ready" or export.downloaded_at is not None or expired:
            raise ExportGone
        export.downloaded_at = utc_now()
        self._audit.record(EventType.EXPORT_DOWNLOADED, user_id=user_id, export_id=str(export_id))

    def _own(self, user_id: UUID, export_id: UUID, *, lock: bool = False) -> DataExport:
        export = self._exports.get(user_id, export_id, lock=lock)
        if export is None:
            raise ExportNotFound
        return export


def _export_out(export: DataExport) -> ExportOut:
    return ExportOut.model_validate({**vars(export), "parts_total": _PARTS_TOTAL})


def download(database: Database, export_id: UUID) -> Iterator[bytes]:
    """Yield the archive in chunks, and delete it after the last one."""
    yield from read_archive(database, export_id)
    with database.transaction() as db:
        ExportRepository(db).delete_chunks(export_id)


class Erasures:
    """Erasure requests: confirmed with the password, waiting for GRACE_PERIOD, and canceled."""

    def __init__(self, db: Session, audit: AuditLog) -> None:
        self._erasures = ErasureRepository(db)
        self._users = UserRepository(db)
        self._audit = audit

    def request(self, user_id: UUID, password: str, confirmation: PasswordConfirmation) -> ErasureRequest:
        """Schedule an erasure, or return the user's open request.

        Raises: UserNotFound, WrongPassword, TooManyAttempts, LastAdmin.
        """
        user = confirmation.confirm(user_id, password)
        if user.role == "admin" and not self._users.other_admin_exists(user_id):
            raise LastAdmin
        request_id = self._erasures.add(user_id, utc_now() + GRACE_PERIOD)
        if request_id is not None:
            self._audit.record(EventType.ERASURE_REQUESTED, user_id=user_id, request_id=str(request_id))
        return self.latest(user_id)

    def latest(self, user_id: UUID) -> ErasureRequest:
        """Raises: ErasureNotFound."""
        request = self._erasures.latest(user_id)
        if request is None:
            raise ErasureNotFound
        return request

    def cancel(self, user_id: UUID) -> ErasureRequest:
        """Cancel the latest request. Canceling it again changes nothing.

        Raises: ErasureNotFound, ErasureRunning.
        """
        request = self._erasures.latest(user_id, lock=True)
        if request is None:
            raise ErasureNotFound
        if request.status in ("running", "finished"):
            raise ErasureRunning
        if request.status == "waiting":
            request.status = "canceled"
            self._audit.record(EventType.ERASURE_CANCELED, user_id=user_id, request_id=str(request.id))
        return request
