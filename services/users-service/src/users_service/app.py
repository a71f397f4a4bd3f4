"""Assembles the users-service application."""

from functools import partial

from fastapi import FastAPI

from cogniflow_kit.application import create_application
from cogniflow_kit.identity import TokenVerifier
from cogniflow_kit.jobs import Jobs
from cogniflow_kit.sql.database import Database
from cogniflow_kit.verification import VerificationFeed
from users_service.accounts.api import me_router as me
from users_service.accounts.api import own_router as own_account
from users_service.accounts.api import router as accounts
from users_service.accounts.pages import router as mailed_links
from users_service.audit.api import router as audit
from users_service.keys.api import router as signing_keys
from users_service.keys.service import KeyRing, local_verification
from users_service.login.api import router as login
from users_service.login.service import TokenIssuer
from users_service.mail.api import router as mails
from users_service.oidc.api import router as external_login
from users_service.oidc.dependencies import configured_provider
from users_service.privacy.api import router as privacy
from users_service.profiles.activity import ActivityReader
from users_service.profiles.api import router as profiles
from users_service.settings import Settings


def create_app(
    settings: Settings, *, database: Database | None = None, feed: type[VerificationFeed] = VerificationFeed
) -> FastAPI:
    """Create the application.

    Tests pass a `database` whose transactions they roll back, and a `feed`
    that reads keys and revocations at every request.
    """
    database = database or Database(settings.database_url.get_secret_value(), application=settings.service)
    keys = KeyRing(database, settings.key_encryption_secret)
    verification = feed(local_verification(database, keys))
    app = create_application(
        settings,
        summary="Accounts, login sessions, and the keys that tokens are verified with.",
        routers=[
            me,
            accounts,
            own_account,
            mailed_links,
            login,
            external_login,
            signing_keys,
            audit,
            mails,
            profiles,
            privacy,
        ],
        stores=[database],
        keys=verification,
    )
    app.state.database = database
    app.state.keys = keys
    app.state.issuer = TokenIssuer(settings, keys)
    app.state.provider = configured_provider(settings)
    app.state.verifier_for = partial(TokenVerifier, verification, issuer=settings.public_url)
    app.state.activity = ActivityReader(settings)
    app.state.jobs = Jobs(database, settings.redis_url.get_secret_value(), settings.schema_name)
    return app
