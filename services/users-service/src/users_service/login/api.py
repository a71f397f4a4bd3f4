"""Routes of logging in."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Form, Response

from cogniflow_kit.errors import problems
from cogniflow_kit.identity import CurrentUser
from cogniflow_kit.sql.database import CurrentDatabase
from users_service.dependencies import Issuer, LoginService, RequestOrigin, ServiceTokenIssuer
from users_service.login import service
from users_service.login.schemas import (
    ClientCredentialsForm,
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
    """Log in with username (or e-mail address) and password."""
    response.headers["Cache-Control"] = "no-store"
    return login.with_password(form.username, form.password)


@router.post("/api/auth/refresh", response_model=TokenPair)
def refresh(body: Refresh, database: CurrentDatabase, issuer: Issuer, origin: RequestOrigin) -> Response:
    """Trade a refresh token for a new pair; each one works once."""
    pair = service.refresh(database, issuer, origin, body.refresh_token)
    no_store = {"Cache-Control": "no-store"}
    return Response(pair.model_dump_json(), media_type="application/json", headers=no_store)


@router.post("/api/auth/logout", status_code=204)
def logout(user: CurrentUser, login: LoginService) -> None:
    """End this session: its tokens stop working."""
    login.logout(user.session_id, user.id)


@router.get("/api/auth/sessions")
def sessions(user: CurrentUser, login: LoginService) -> SessionList:
    """Where the caller is logged in."""
    found = [SessionOut.model_validate(session) for session in login.sessions_of(user.id)]
    for session in found:
        session.current = session.id == user.session_id
    return SessionList(items=found)


@router.delete("/api/auth/sessions/{session_id}", status_code=204, responses=problems(404))
def end_session(session_id: UUID, user: CurrentUser, login: LoginService) -> None:
    """Log out on another device."""
    login.end_one(user.id, session_id)


@router.delete("/api/auth/sessions", status_code=204)
def end_all_sessions(user: CurrentUser, login: LoginService) -> None:
    """Log out everywhere, here too."""
    login.end_all(user.id)


@router.post("/internal/tokens")
def service_token(form: Annotated[ClientCredentialsForm, Form()], issuer: ServiceTokenIssuer) -> ServiceToken:
    """A token for a service to call another with. Never reachable through the gateway."""
    return issuer.issue(form)
