"""Where the other services deliver their facts."""

from typing import Annotated

from fastapi import APIRouter, Depends

from analytics_service.dependencies import IngestService
from analytics_service.ingest.schemas import EventBatch, Receipt
from cogniflow_kit.events import EVENTS_SCOPE
from cogniflow_kit.identity import Service, requires_scope

router = APIRouter(tags=["events"])
Sender = Annotated[Service, Depends(requires_scope(EVENTS_SCOPE))]


@router.post("/internal/events")
def take_events(batch: EventBatch, sender: Sender, ingest: IngestService) -> Receipt:
    """Store up to 500 events. Repeating a batch, or sending it twice at once, stores each event once."""
    return ingest.take(batch.events, sender.name)
