"""Wires the ingest feature."""

from typing import Annotated

from fastapi import Depends

from analytics_service.dependencies import MongoStore
from analytics_service.ingest.repository import InteractionLogRepository
from analytics_service.ingest.service import Ingest
from analytics_service.presence.dependencies import PresenceService


async def get_ingest(mongo: MongoStore, presence: PresenceService) -> Ingest:
    return Ingest(InteractionLogRepository(mongo), presence)


IngestService = Annotated[Ingest, Depends(get_ingest)]
