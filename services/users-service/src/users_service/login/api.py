"""Routes of login sessions and tokens."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Form, Response

from cogniflow_kit.errors import problems
from cogniflow_kit.identity import CurrentUser
from cogniflow_kit.sql.database import CurrentDatabase, DatabaseSession
from users_service.audit.dependencies import Admin, RequestOrigin
from users_service.login import service
from users_service.login.dependencies import Issuer, LoginService, ServiceTokenIssuer, TokenToIntrospect
from users_service.login.introspection import describe_token
from users_service.login.schemas import (
    ClientCredentialsForm,
    Introspection,
    PasswordForm,
    Refresh,
    ServiceToken,
    SessionList,
    SessionOut,
    TokenPair,
)

router = APIRouter(tags=["login"])


@router.post("/api/auth/token", responses=problems(429))
def token(form: Annotated[PasswordForm, Form()], response: Response, login: LoginService) -> TokenPair:
    """Log in with a username or e-mail address and a password."""
    response.headers["Cache-Control"] = "no-store"
    return login.with_password(form.username, form.password)


@router.post("/api/auth/refresh", response_model=TokenPair)
def refresh(body: Refresh, database: CurrentDatabase, issuer: Issuer, origin: RequestOrigin) -> Response:
    """Exchange a refresh token for a new pair of tokens. Each refresh token works once."""
    pair = service.refresh(database, issuer, origin, body.refresh_token)
    no_store = {"Cache-Control": "no-store"}
    return Response(pair.model_dump_json(), media_type="application/json", headers=no_store)


@router.post("/api/auth/logout", status_code=204)
def logout(user: CurrentUser, login: LoginService) -> None:
    """End the caller's session: its tokens stop working."""
    login.logout(user.session_id, user.id)


@router.get("/api/auth/sessions")
def sessions(user: CurrentUser, login: LoginService) -> SessionList:
    """List the caller's open login sessions."""
    found = [SessionOut.model_validate(row) for row in login.sessions_of(user.id)]
    for login_session in found:
        login_session.current = login_session.id == user.session_id
    return SessionList(items=found)


@router.delete("/api/auth/sessions/{session_id}", status_code=204, responses=problems(404))
def end_session(session_id: UUID, user: CurrentUser, login: LoginService) -> None:
    """End one of the caller's login sessions, such as one on another device."""
    login.end_session(user.id, session_id)


@router.delete("/api/auth/sessions", status_code=204)
def end_all_sessions(user: CurrentUser, login: LoginService) -> None:
    """End all login sessions of the caller, including the current one."""
    login.end_all_sessions(user.id)


@router.post("/internal/tokens")
def service_token(form: Annotated[ClientCredentialsForm, Form()], issuer: ServiceTokenIssuer) -> ServiceToken:
    """Issue a token that one service calls another with. Not reachable through the gateway."""
    return issuer.issue(form)


@router.post("/api/auth/introspect", response_model_exclude_none=True)
def introspect(_: Admin, asked: TokenToIntrospect, db: DatabaseSession, response: Response) -> Introspection:
    """Return whether a token is valid now, and its claims. Works for access, refresh and service tokens."""
    response.headers["Cache-Control"] = "no-store"
    return describe_token(db, asked)
