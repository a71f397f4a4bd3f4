"""Puts users-service together."""

from fastapi import FastAPI

from cogniflow_kit.application import create_application
from cogniflow_kit.sql.database import Database
from users_service.accounts.api import router as accounts
from users_service.audit.api import router as audit
from users_service.keys.service import KeyRing
from users_service.login.api import router as login
from users_service.settings import Settings


def create_app(settings: Settings, *, database: Database | None = None) -> FastAPI:
    """The application; tests pass a database whose transactions they roll back."""
    database = database or Database(settings.database_url.get_secret_value(), application=settings.service)
    keys = KeyRing(database, settings.key_encryption_secret)
    app = create_application(
        settings,
        summary="Accounts, logins and the keys that everybody verifies tokens with.",
        routers=[accounts, login, audit],
        stores=[database],
        keys=keys,
    )
    app.state.database = database
    app.state.keys = keys
    return app
