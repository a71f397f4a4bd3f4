"""Routes of logging in."""

from typing import Annotated

from fastapi import APIRouter, Form, Request, Response
from fastapi.responses import JSONResponse

from cogniflow_kit.errors import error_response
from cogniflow_kit.identity import CurrentUser
from users_service.dependencies import Keys, LoginService, ServiceTokenIssuer
from users_service.login.errors import InvalidRefreshToken
from users_service.login.schemas import (
    ClientCredentialsForm,
    KeySet,
    PasswordForm,
    Refresh,
    ServiceToken,
    TokenPair,
)

router = APIRouter(tags=["login"])


@router.post("/api/auth/token")
def token(
    form: Annotated[PasswordForm, Form()], request: Request, response: Response, login: LoginService
) -> TokenPair:
    """Log in with username (or e-mail address) and password."""
    response.headers["Cache-Control"] = "no-store"
    device = request.headers.get("user-agent", "")[:200]
    address = request.client.host if request.client else ""
    return login.with_password(form.username, form.password, device=device, address=address)


@router.post("/api/auth/refresh", response_model=TokenPair)
def refresh(
    body: Refresh, request: Request, response: Response, login: LoginService
) -> TokenPair | JSONResponse:
    """Trade a refresh token for a new pair; each one works once."""
    response.headers["Cache-Control"] = "no-store"
    pair = login.refresh(body.refresh_token)
    if pair is None:
        # Returned, not raised: the end of the session has to be committed.
        return error_response(
            request, InvalidRefreshToken("This refresh token was used before; log in again.")
        )
    return pair


@router.post("/api/auth/logout", status_code=204)
def logout(user: CurrentUser, login: LoginService) -> None:
    """End this session: its refresh token stops working."""
    login.logout(user.session_id, user.id)


@router.get("/.well-known/jwks.json")
def jwks(keys: Keys, response: Response) -> KeySet:
    """The public keys that access tokens are verified with."""
    response.headers["Cache-Control"] = "public, max-age=60"
    return KeySet(keys=keys.published())


@router.post("/internal/tokens")
def service_token(form: Annotated[ClientCredentialsForm, Form()], issuer: ServiceTokenIssuer) -> ServiceToken:
    """A token for a service to call another with. Never reachable through the gateway."""
    return issuer.issue(form)
