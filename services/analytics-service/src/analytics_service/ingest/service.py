"""Validates and stores delivered events: a valid event is stored once, an invalid one gets a reason."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

import structlog
from pydantic import ValidationError

from analytics_service.ingest.repository import InteractionLogRepository, event_document
from analytics_service.ingest.schemas import IncomingEvent, Receipt, Rejection
from analytics_service.presence.service import Presence
from cogniflow_kit.ids import utc_now

log = structlog.stdlib.get_logger(__name__)


class Ingest:
    """The only writer of the interaction log."""

    def __init__(self, logs: InteractionLogRepository, presence: Presence) -> None:
        self._logs = logs
        self._presence = presence

    def store(self, raw_events: Sequence[Any], source: str) -> Receipt:
        """Store a batch sent by the service `source`. Raises: Unavailable (some events may be stored)."""
        events: list[IncomingEvent] = []
        rejected: list[Rejection] = []
        for index, raw in enumerate(raw_events):
            try:
                events.append(IncomingEvent.model_validate(raw))
            except ValidationError as error:
                rejected.append(Rejection(index=index, id=_valid_id(raw), reason=_reason(error)))
        if events:
            stored_at = utc_now()
            self._logs.add([event_document(event, source=source, stored_at=stored_at) for event in events])
            self._presence.mark_actors((event.actor_id, event.occurred_at) for event in events)
        if rejected:
            log.warning("events rejected", source=source, count=len(rejected))
        return Receipt(accepted=len(events), rejected=rejected)


def _valid_id(raw: Any) -> UUID | None:
    try:
        return UUID(raw["id"])
    except (AttributeError, KeyError, TypeError, ValueError):
        return None


def _reason(error: ValidationError) -> str:
    """The first validation error as text without invalid characters, at most 300 characters."""
    first = error.errors(include_url=False, include_input=False)[0]
    field = ".".join(str(part) for part in first["loc"]) or "event"
    return f"{field}: {first['msg']}".encode(errors="replace").decode()[:300]
