"""Builds the external login service of a request."""

from typing import Annotated

from fastapi import Depends, Request
from sqlalchemy.orm import Session

from users_service.audit.dependencies import RequestOrigin
from users_service.dependencies import CurrentSettings
from users_service.login.dependencies import Issuer
from users_service.login.service import Login
from users_service.oidc.errors import ExternalLoginOff
from users_service.oidc.provider import Provider
from users_service.oidc.service import ExternalLogins
from users_service.settings import Settings


def configured_provider(settings: Settings) -> Provider | None:
    """Return the provider of the settings; None if there is none."""
    if not settings.oidc_issuer:
        return None
    return Provider(
        settings.oidc_issuer,
        settings.oidc_client_id,
        settings.oidc_client_secret.get_secret_value(),
        f"{settings.public_url}/api/auth/oidc/callback",
        name=settings.oidc_name,
    )


async def get_external_logins(
    request: Request, settings: CurrentSettings, issuer: Issuer, origin: RequestOrigin
) -> ExternalLogins:
    provider: Provider | None = request.app.state.provider
    if provider is None:
        raise ExternalLoginOff

    def make_login(db: Session) -> Login:
        return Login(db, issuer, origin)

    database = request.app.state.database
    return ExternalLogins(database, provider, settings.key_encryption_secret, origin, make_login)


ExternalLoginService = Annotated[ExternalLogins, Depends(get_external_logins)]
