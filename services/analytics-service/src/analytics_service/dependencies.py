"""The only place that wires stores, clients and services to the request."""

from typing import Annotated

from fastapi import Depends, Request

from analytics_service.activity.courses import CourseOwnership
from analytics_service.activity.log import ActivityLog
from analytics_service.activity.repository import DailyCounts
from analytics_service.ingest.repository import InteractionLog
from analytics_service.ingest.service import Ingest
from analytics_service.presence.repository import Sightings
from analytics_service.presence.service import Presence
from cogniflow_kit.sql.database import DatabaseSession


async def get_presence(request: Request) -> Presence:
    return Presence(Sightings(request.app.state.redis))


PresenceService = Annotated[Presence, Depends(get_presence)]


async def get_ingest(request: Request, presence: PresenceService) -> Ingest:
    return Ingest(InteractionLog(request.app.state.mongo), presence)


async def get_log(request: Request) -> ActivityLog:
    return ActivityLog(request.app.state.mongo)


async def get_ownership(request: Request) -> CourseOwnership:
    return CourseOwnership(request.app.state.courses)


async def get_daily_counts(session: DatabaseSession) -> DailyCounts:
    return DailyCounts(session)


IngestService = Annotated[Ingest, Depends(get_ingest)]
Log = Annotated[ActivityLog, Depends(get_log)]
Ownership = Annotated[CourseOwnership, Depends(get_ownership)]
DailyCountsInSession = Annotated[DailyCounts, Depends(get_daily_counts)]
