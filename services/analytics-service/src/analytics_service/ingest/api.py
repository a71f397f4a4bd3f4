"""The route by which other services deliver events."""

from typing import Annotated

from fastapi import APIRouter, Depends

from analytics_service.ingest.dependencies import IngestService
from analytics_service.ingest.schemas import EventBatch, Receipt
from cogniflow_kit.events import EVENTS_SCOPE
from cogniflow_kit.identity import Service, requires_scope

router = APIRouter(tags=["events"])
Sender = Annotated[Service, Depends(requires_scope(EVENTS_SCOPE))]


@router.post("/internal/events")
def take_events(batch: EventBatch, sender: Sender, ingest: IngestService) -> Receipt:
    """Store up to 500 events. Repeated and concurrent deliveries store each event once."""
    return ingest.store(batch.events, sender.name)
