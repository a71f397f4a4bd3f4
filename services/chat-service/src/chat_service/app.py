"""Assembles the chat-service application."""

from fastapi import FastAPI

from chat_service.personal_data import personal_data
from chat_service.platform.language_model.configured import ConfiguredModel
from chat_service.platform.retention.api import router as retention
from chat_service.platform.settings.api import router as settings_routes
from chat_service.platform.settings.dependencies import build_settings_reader, build_settings_service
from chat_service.preload import Preload, load_language_data
from chat_service.programs.authoring.api import router as authoring
from chat_service.programs.authoring.session_moves import SessionMover
from chat_service.programs.content.catalog import Catalog
from chat_service.programs.records.api import router as records
from chat_service.programs.records.dependencies import build_records
from chat_service.programs.sessions.api import router as programs
from chat_service.programs.sessions.wiring import wire_programs
from chat_service.safety.help.api import router as safety_help
from chat_service.safety.reviews.api import router as safety_reviews
from chat_service.settings import Settings
from chat_service.tutor.api import activity_router as activity
from chat_service.tutor.api import router as tutor
from chat_service.tutor.dependencies import build_tutor
from chat_service.users_client import UsersClient
from cogniflow_kit.application import create_application
from cogniflow_kit.clients import ServiceClient
from cogniflow_kit.identity import KeySource
from cogniflow_kit.mongo import Mongo
from cogniflow_kit.personal_data import router as people
from cogniflow_kit.redis import Cache, RedisStore
from cogniflow_kit.sql.database import Database
from cogniflow_kit.verification import polling_feed


def create_app(
    settings: Settings, *, keys: KeySource | None = None, database: Database | None = None
) -> FastAPI:
    """Build the application. Tests pass `keys` of their own and a `database` that rolls back."""
    database = database or Database(settings.database_url.get_secret_value(), application=settings.service)
    mongo = Mongo(settings.mongo_url.get_secret_value())
    redis = RedisStore(settings.redis_url.get_secret_value(), settings.schema_name)
    catalog = Catalog(database, Cache(redis))
    settings_reader = build_settings_reader(settings, database)
    sessions = wire_programs(settings, database, catalog, ConfiguredModel(settings_reader))
    app = create_application(
        settings,
        summary="Conversations that last: the tutor and the guided programs.",
        routers=[
            tutor,
            programs,
            authoring,
            records,
            safety_help,
            safety_reviews,
            settings_routes,
            retention,
            activity,
            people,
        ],
        stores=[database, mongo],
        keys=keys or polling_feed(settings),
        background=[*map(Preload, [load_language_data, *sessions.preload]), *sessions.background],
        notices=sessions.notices,
    )
    app.state.database = database
    app.state.mongo = mongo
    app.state.settings_reader = settings_reader
    app.state.settings_service = build_settings_service(settings, database, settings_reader)
    app.state.tutor = build_tutor(settings, database, mongo)
    app.state.programs = sessions.programs
    app.state.session_mover = SessionMover(database, catalog, sessions.changing)
    app.state.records = build_records(database, catalog, sessions.memory)
    app.state.users = UsersClient(ServiceClient(settings, "users-service", settings.users_url))
    app.state.personal_data = personal_data(database, mongo, sessions.personal_data)
    return app
