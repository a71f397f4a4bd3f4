"""Assembles the analytics-service application."""

from fastapi import FastAPI

from analytics_service.activity.api import router as activity
from analytics_service.activity.api import streak_router as streak
from analytics_service.ingest.api import router as ingest
from analytics_service.personal_data import personal_data
from analytics_service.presence.api import router as presence
from analytics_service.settings import Settings
from cogniflow_kit.application import create_application
from cogniflow_kit.clients import ServiceClient
from cogniflow_kit.identity import KeySource
from cogniflow_kit.mongo import Mongo
from cogniflow_kit.personal_data import router as people
from cogniflow_kit.redis import RedisStore
from cogniflow_kit.sql.database import Database
from cogniflow_kit.verification import polling_feed

# A full batch of events of a few kilobytes each.
_MAX_BODY_BYTES = 4_000_000


def create_app(
    settings: Settings, *, keys: KeySource | None = None, database: Database | None = None
) -> FastAPI:
    """Build the application. Tests pass `keys` of their own and a `database` that rolls back."""
    database = database or Database(settings.database_url.get_secret_value(), application=settings.service)
    mongo = Mongo(settings.mongo_url.get_secret_value())
    redis = RedisStore(settings.redis_url.get_secret_value(), settings.schema_name)
    app = create_application(
        settings,
        summary="What happened on the platform: the interaction log, course activity, presence.",
        routers=[ingest, activity, presence, streak, people],
        stores=[database, mongo, redis],
        keys=keys or polling_feed(settings),
        max_body_bytes=_MAX_BODY_BYTES,
    )
    app.state.database = database
    app.state.mongo = mongo
    app.state.personal_data = personal_data(database, mongo, redis)
    app.state.redis = redis
    app.state.courses = ServiceClient(settings, "courses-service", settings.courses_url)
    return app
