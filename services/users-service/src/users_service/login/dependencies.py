"""Builds the login services of a request."""

from typing import Annotated

from fastapi import Depends, Form, Request

from cogniflow_kit.errors import Unauthorized
from cogniflow_kit.identity import TokenVerifier
from cogniflow_kit.sql.database import DatabaseSession
from users_service.audit.dependencies import RequestAuditLog, RequestOrigin
from users_service.dependencies import CurrentSettings
from users_service.keys.dependencies import Keys
from users_service.keys.jwt import claims_unverified
from users_service.login.introspection import InspectedToken
from users_service.login.schemas import IntrospectionForm
from users_service.login.service import Login, TokenIssuer
from users_service.login.service_tokens import ServiceTokens


async def get_issuer(request: Request) -> TokenIssuer:
    issuer: TokenIssuer = request.app.state.issuer
    return issuer


Issuer = Annotated[TokenIssuer, Depends(get_issuer)]


async def get_login(db: DatabaseSession, issuer: Issuer, origin: RequestOrigin) -> Login:
    return Login(db, issuer, origin)


async def get_service_tokens(
    db: DatabaseSession, settings: CurrentSettings, keys: Keys, audit: RequestAuditLog
) -> ServiceTokens:
    return ServiceTokens(db, settings, keys, audit)


async def inspect_token(request: Request, form: Annotated[IntrospectionForm, Form()]) -> InspectedToken:
    """Verify the token of an introspection request, whichever service or user it was issued to."""
    claims = claims_unverified(form.token)
    verifier: TokenVerifier = request.app.state.verifier
    try:
        if claims.get("typ") == "svc":
            await request.app.state.verifier_for(service=str(claims.get("aud"))).service(form.token)
        else:
            await verifier.user(form.token)
    except Unauthorized:
        return InspectedToken(form.token, None)
    return InspectedToken(form.token, claims)


LoginService = Annotated[Login, Depends(get_login)]
ServiceTokenIssuer = Annotated[ServiceTokens, Depends(get_service_tokens)]
TokenToIntrospect = Annotated[InspectedToken, Depends(inspect_token)]
