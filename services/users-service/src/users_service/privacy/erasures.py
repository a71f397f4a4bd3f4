"""Erasures as people see them: asked for with the password, waiting 14 days, canceled."""

from datetime import timedelta
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from cogniflow_kit.ids import new_id, utc_now
from users_service.accounts.confirmation import Confirmation
from users_service.accounts.errors import LastAdmin
from users_service.accounts.repository import UserRepository
from users_service.audit.trail import EventType, Trail
from users_service.privacy.errors import ErasureNotFound, ErasureRunning
from users_service.tables import ErasureRequest

GRACE = timedelta(days=14)


class Erasures:
    def __init__(self, db: Session, trail: Trail) -> None:
        self._db = db
        self._trail = trail

    def request(self, user_id: UUID, password: str, confirmation: Confirmation) -> ErasureRequest:
        """A new request, or the open one. Raises WrongPassword, TooManyAttempts or LastAdmin."""
        user = confirmation.confirm(user_id, password)
        if user.role == "admin" and not UserRepository(self._db).has_admin_beside(user_id):
            raise LastAdmin("This is the only admin; make somebody else one first.")
        request_id = self._db.scalar(
            insert(ErasureRequest)
            .values(id=new_id(), user_id=user_id, due_at=utc_now() + GRACE)
            .on_conflict_do_nothing()
            .returning(ErasureRequest.id)
        )
        if request_id is not None:
            self._trail.record(EventType.ERASURE_REQUESTED, user_id=user_id, request_id=str(request_id))
        return self.latest(user_id)

    def latest(self, user_id: UUID, *, lock: bool = False) -> ErasureRequest:
        """Raises ErasureNotFound."""
        newest = (
            select(ErasureRequest)
            .where(ErasureRequest.user_id == user_id)
            .order_by(ErasureRequest.id.desc())
            .limit(1)
        )
        request = self._db.scalars(newest.with_for_update() if lock else newest).first()
        if request is None:
            raise ErasureNotFound("You haven't asked for an erasure.")
        return request

    def cancel(self, user_id: UUID) -> ErasureRequest:
        """Canceling a canceled one changes nothing. Raises ErasureNotFound or ErasureRunning."""
        request = self.latest(user_id, lock=True)
        if request.status in ("running", "finished"):
            raise ErasureRunning("The erasure has begun and can't be stopped any more.")
        if request.status == "waiting":
            request.status = "canceled"
            self._trail.record(EventType.ERASURE_CANCELED, user_id=user_id, request_id=str(request.id))
        return request
