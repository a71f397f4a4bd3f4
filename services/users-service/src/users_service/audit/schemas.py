"""Query and response bodies of the audit log."""

from datetime import datetime
from typing import Any
from uuid import UUID

from cogniflow_kit.schemas import Instant, RequestBody, ResponseBody
from users_service.audit.event_types import EventType


class EventFilter(RequestBody):
    """Search criteria, combined with AND. `since` is inclusive, `until` exclusive."""

    type: EventType | None = None
    user_id: UUID | None = None
    since: Instant | None = None
    until: Instant | None = None


class SecurityEventOut(ResponseBody):
    """`user_id`: the account concerned. `actor_id`: who acted, if that wasn't the account itself."""

    id: UUID
    type: EventType
    user_id: UUID | None
    actor_id: UUID | None
    session_id: UUID | None
    address: str | None
    data: dict[str, Any]
    occurred_at: datetime
