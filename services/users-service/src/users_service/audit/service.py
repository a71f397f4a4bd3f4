"""Writes security events."""

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy.orm import Session

from users_service.audit.event_types import EventType
from users_service.audit.repository import SecurityEventRepository


@dataclass(frozen=True)
class Origin:
    """Where a request came from: the client's IP address, and its user agent cut to 200 characters."""

    address: str
    device: str


class AuditLog:
    """Records security events in the transaction of the change that they describe.

    `origin`: the request that caused the events; None in the worker.
    """

    def __init__(self, db: Session, origin: Origin | None = None) -> None:
        self._events = SecurityEventRepository(db)
        self._origin = origin

    def record(
        self,
        type: EventType,  # noqa: A002 -- the column's name
        *,
        user_id: UUID | None = None,
        actor_id: UUID | None = None,
        session_id: UUID | None = None,
        **data: Any,
    ) -> None:
        """Add one event.

        `user_id`: the account concerned. `actor_id`: who acted, if that isn't
        the account itself. `data` holds ids and reasons, never a secret.
        """
        self._events.add(
            type=type.value,
            user_id=user_id,
            actor_id=actor_id,
            session_id=session_id,
            address=self._origin.address if self._origin else None,
            data=data,
        )
