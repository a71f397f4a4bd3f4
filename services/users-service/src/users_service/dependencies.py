"""The only place that wires services to the request."""

from typing import Annotated

from fastapi import Depends, Request

from cogniflow_kit.sql.database import DatabaseSession
from users_service.accounts.service import Accounts
from users_service.keys.service import KeyRing
from users_service.login.service import Login
from users_service.login.service_tokens import ServiceTokens
from users_service.settings import Settings


async def get_settings(request: Request) -> Settings:
    settings: Settings = request.app.state.settings
    return settings


async def get_keys(request: Request) -> KeyRing:
    keys: KeyRing = request.app.state.keys
    return keys


Keys = Annotated[KeyRing, Depends(get_keys)]
CurrentSettings = Annotated[Settings, Depends(get_settings)]


async def get_accounts(session: DatabaseSession) -> Accounts:
    return Accounts(session)


async def get_login(session: DatabaseSession, settings: CurrentSettings, keys: Keys) -> Login:
    return Login(session, settings, keys)


async def get_service_tokens(settings: CurrentSettings, keys: Keys) -> ServiceTokens:
    return ServiceTokens(settings, keys)


AccountsService = Annotated[Accounts, Depends(get_accounts)]
LoginService = Annotated[Login, Depends(get_login)]
ServiceTokenIssuer = Annotated[ServiceTokens, Depends(get_service_tokens)]
