"""Puts chat-service together."""

from fastapi import FastAPI

from chat_service.platform.language_model.configured import ConfiguredModel
from chat_service.platform.privacy.api import router as activity
from chat_service.platform.privacy.personal_data import personal_data
from chat_service.platform.retention.api import router as retention
from chat_service.platform.settings.api import router as configuration
from chat_service.platform.settings.reader import SettingsReader
from chat_service.platform.settings.service import SettingsAdmin
from chat_service.preload import Preload
from chat_service.programs.authoring.labels_api import router as labels
from chat_service.programs.authoring.session_moves import SessionMover
from chat_service.programs.authoring.session_moves_api import router as moving
from chat_service.programs.authoring.versions_api import router as versions
from chat_service.programs.content.catalog import Catalog
from chat_service.programs.records.api import router as records
from chat_service.programs.sessions.api import router as programs
from chat_service.programs.sessions.wiring import wire_programs
from chat_service.safety.reviews.api import router as safety
from chat_service.settings import Settings
from chat_service.tutor.api import router as tutor
from chat_service.tutor.courses import CoursesClient
from chat_service.tutor.index import LessonIndex
from chat_service.tutor.repository import ConversationRepository
from chat_service.tutor.service import Tutor
from chat_service.tutor.turn_store import TutorTurnStore
from chat_service.users_client import UsersClient
from cogniflow_kit.application import create_application
from cogniflow_kit.clients import ServiceClient
from cogniflow_kit.identity import KeySource
from cogniflow_kit.mongo import Mongo
from cogniflow_kit.personal_data import router as people
from cogniflow_kit.redis import Cache, RedisStore
from cogniflow_kit.sql.database import Database
from cogniflow_kit.verification import polled


def create_app(
    settings: Settings, *, keys: KeySource | None = None, database: Database | None = None
) -> FastAPI:
    """The application; tests pass keys of their own and a database whose transactions they roll back."""
    database = database or Database(settings.database_url.get_secret_value(), application=settings.service)
    mongo = Mongo(settings.mongo_url.get_secret_value())
    redis = RedisStore(settings.redis_url.get_secret_value(), settings.schema_name)
    catalog = Catalog(database, Cache(redis))
    settings_now = SettingsReader(database, settings.vault)
    kept = wire_programs(settings, database, catalog, ConfiguredModel(settings_now))
    app = create_application(
        settings,
        summary="Conversations that last: the tutor and the guided programs.",
        routers=[
            tutor,
            programs,
            versions,
            labels,
            moving,
            records,
            safety,
            configuration,
            retention,
            activity,
            people,
        ],
        stores=[database, mongo],
        keys=keys or polled(settings),
        background=[Preload(), *kept.background],
        notices=kept.notices,
    )
    courses = CoursesClient(ServiceClient(settings, "courses-service", settings.courses_url))
    index = LessonIndex(database, courses)
    app.state.database = database
    app.state.personal_data = personal_data(database, mongo, kept.holdings)
    app.state.programs = kept.programs
    app.state.moving = SessionMover(database, catalog, kept.changing)
    app.state.configuration = settings_now
    app.state.administration = SettingsAdmin(database, settings.vault, settings_now)
    app.state.records = kept.records
    app.state.conversations = ConversationRepository(mongo)
    app.state.tutor = Tutor(database, TutorTurnStore(mongo), courses, index)
    app.state.learners = UsersClient(ServiceClient(settings, "users-service", settings.users_url))
    return app
