"""Queries on exports and erasures."""

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import delete, insert, select, text, update
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.orm import Session

from cogniflow_kit.ids import new_id, utc_now
from users_service.tables import DataExport, DataExportChunk, ErasureRequest, User

_UNFINISHED = DataExport.status.in_(("queued", "running"))
_OPEN_JOBS = text(
    "SELECT arguments ->> :argument FROM jobs WHERE name = :name AND status IN ('queued', 'running')"
)


def open_jobs(db: Session, name: str, argument: str) -> set[str]:
    """Return the values of one argument in the queued and running jobs of this name."""
    return set(db.scalars(_OPEN_JOBS, {"name": name, "argument": argument}))


class ExportRepository:
    def __init__(self, db: Session) -> None:
        self._db = db

    def lock_user(self, user_id: UUID) -> bool:
        """Keep the account from being erased until the transaction ends; False if there is none."""
        account = select(User.id).where(User.id == user_id).with_for_update(key_share=True)
        return self._db.scalar(account) is not None

    def add(self, user_id: UUID) -> UUID | None:
        """Add an export and return its id; None if the user has an unfinished one."""
        adding = upsert(DataExport).values(id=new_id(), user_id=user_id).on_conflict_do_nothing()
        return self._db.scalar(adding.returning(DataExport.id))

    def unfinished_of(self, user_id: UUID) -> DataExport:
        return self._db.scalars(select(DataExport).where(_UNFINISHED, DataExport.user_id == user_id)).one()

    def get(self, user_id: UUID, export_id: UUID, *, lock: bool = False) -> DataExport | None:
        own = select(DataExport).where(DataExport.id == export_id, DataExport.user_id == user_id)
        return self._db.scalars(own.with_for_update() if lock else own).first()

    def start(self, export_id: UUID) -> UUID | None:
        """Set an unfinished export to running; return its user, or None if it is finished or failed."""
        starting = (
            update(DataExport)
            .where(DataExport.id == export_id, _UNFINISHED)
            .values(status="running", parts_done=0)
            .returning(DataExport.user_id)
        )
        return self._db.scalar(starting)

    def update(self, export_id: UUID, **columns: Any) -> None:
        self._db.execute(update(DataExport).where(DataExport.id == export_id).values(**columns))

    def fail_older_than(self, max_age: timedelta) -> None:
        old = DataExport.created_at < utc_now() - max_age
        self._db.execute(update(DataExport).where(_UNFINISHED, old).values(status="failed"))

    def unfinished(self) -> list[UUID]:
        return list(self._db.scalars(select(DataExport.id).where(_UNFINISHED)))

    def add_chunk(self, export_id: UUID, number: int, data: bytes) -> None:
        self._db.execute(insert(DataExportChunk), {"export_id": export_id, "number": number, "data": data})

    def chunk(self, export_id: UUID, number: int) -> bytes | None:
        return self._db.scalar(select(DataExportChunk.data).filter_by(export_id=export_id, number=number))

    def delete_chunks(self, export_id: UUID) -> None:
        self._db.execute(delete(DataExportChunk).where(DataExportChunk.export_id == export_id))

    def delete_old_chunks(self, after_download: timedelta) -> None:
        """Delete archives that have expired, or were downloaded longer ago than `after_download`."""
        now = utc_now()
        old = (DataExport.expires_at <= now) | (DataExport.downloaded_at < now - after_download)
        exports = select(DataExport.id).where(old)
        self._db.execute(delete(DataExportChunk).where(DataExportChunk.export_id.in_(exports)))


class ErasureRepository:
    def __init__(self, db: Session) -> None:
        self._db = db

    def add(self, user_id: UUID, due_at: datetime) -> UUID | None:
        """Add a request and return its id; None if the user has an open one."""
        adding = upsert(ErasureRequest).values(id=new_id(), user_id=user_id, due_at=due_at)
        return self._db.scalar(adding.on_conflict_do_nothing().returning(ErasureRequest.id))

    def latest(self, user_id: UUID, *, lock: bool = False) -> ErasureRequest | None:
        newest = (
            select(ErasureRequest)
            .where(ErasureRequest.user_id == user_id)
            .order_by(ErasureRequest.id.desc())
            .limit(1)
        )
        return self._db.scalars(newest.with_for_update() if lock else newest).first()

    def locked(self, request_id: UUID) -> ErasureRequest | None:
        return self._db.get(ErasureRequest, request_id, with_for_update=True)

    def due(self) -> list[UUID]:
        """Return the ids of the requests whose next pass is due."""
        is_open = ErasureRequest.status.in_(("waiting", "running"))
        return list(
            self._db.scalars(select(ErasureRequest.id).where(is_open, ErasureRequest.due_at <= utc_now()))
        )

    def close_account(self, user_id: UUID) -> bool:
        """Deactivate the account; False if there is none."""
        closing = update(User).where(User.id == user_id).values(is_active=False).returning(User.id)
        return self._db.scalar(closing) is not None

    def restart(self, request_id: UUID, user_id: UUID, requested_at: datetime, passes: int) -> None:
        """Make this the user's running request, due now, whether it is in the database or not.

        `passes`: how many passes count as done. Other open requests of the
        user are canceled. A request that is running already stays as it is.
        """
        others = (ErasureRequest.user_id == user_id) & (ErasureRequest.id != request_id)
        is_open = ErasureRequest.status.in_(("waiting", "running"))
        self._db.execute(update(ErasureRequest).where(others, is_open).values(status="canceled"))
        running = {"status": "running", "due_at": utc_now(), "passes": passes}
        self._db.execute(
            upsert(ErasureRequest)
            .values(id=request_id, user_id=user_id, requested_at=requested_at, **running)
            .on_conflict_do_update(
                index_elements=["id"], set_=running, where=ErasureRequest.status != "running"
            )
        )
