"""Queries on security events."""

from typing import Any
from uuid import UUID

from sqlalchemy import insert, select
from sqlalchemy.orm import Session

from cogniflow_kit.ids import new_id
from users_service.audit.schemas import EventFilter
from users_service.tables import SecurityEvent


class SecurityEventRepository:
    def __init__(self, db: Session) -> None:
        self._db = db

    def add(self, **columns: Any) -> None:
        self._db.execute(insert(SecurityEvent).values(id=new_id(), **columns))

    def page(self, before: UUID | None, limit: int, criteria: EventFilter) -> list[SecurityEvent]:
        """Matching events, newest first: up to `limit + 1`, so that the caller sees if there are more."""
        events = select(SecurityEvent).order_by(SecurityEvent.id.desc()).limit(limit + 1)
        if before is not None:
            events = events.where(SecurityEvent.id < before)
        if criteria.type is not None:
            events = events.where(SecurityEvent.type == criteria.type)
        if criteria.user_id is not None:
            events = events.where(SecurityEvent.user_id == criteria.user_id)
        if criteria.since is not None:
            events = events.where(SecurityEvent.occurred_at >= criteria.since)
        if criteria.until is not None:
            events = events.where(SecurityEvent.occurred_at < criteria.until)
        return list(self._db.scalars(events))
