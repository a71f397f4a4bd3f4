"""Asking whether a token is good, and what it says: RFC 7662, for admins."""

from dataclasses import dataclass
from typing import Annotated, Any, Literal
from uuid import UUID

from fastapi import APIRouter, Depends, Form, Request, Response
from pydantic import Field
from sqlalchemy import select
from sqlalchemy.orm import Session

from cogniflow_kit.errors import Unauthorized
from cogniflow_kit.identity import MAX_TOKEN_BYTES, TokenVerifier
from cogniflow_kit.ids import utc_now
from cogniflow_kit.schemas import RequestBody, ResponseBody
from cogniflow_kit.sql.database import DatabaseSession
from users_service.dependencies import Admin
from users_service.keys.jwt import claims_unverified
from users_service.login.service import hash_token
from users_service.tables import RefreshToken, User, UserSession

router = APIRouter(tags=["login"])


class IntrospectionForm(RequestBody):
    """`token_type_hint` is accepted and not needed."""

    token: str = Field(min_length=1, max_length=MAX_TOKEN_BYTES)
    token_type_hint: str | None = Field(default=None, max_length=100)


class Introspection(ResponseBody):
    """Only `active` when the token isn't; times are Unix times. `sub`: the user, or the service."""

    active: bool
    kind: Literal["access", "refresh", "service"] | None = None
    username: str | None = None
    sub: str | None = None
    sid: str | None = None
    role: str | None = None
    scope: str | None = None
    iss: str | None = None
    aud: str | None = None
    jti: str | None = None
    iat: float | None = None
    exp: float | None = None


@dataclass(frozen=True)
class Asked:
    """A token, and what it says when it is a good JWT."""

    token: str
    claims: dict[str, Any] | None


async def asked(request: Request, form: Annotated[IntrospectionForm, Form()]) -> Asked:
    claims = claims_unverified(form.token)
    verifier: TokenVerifier = request.app.state.verifier
    try:
        if claims.get("typ") == "svc":
            await request.app.state.verifier_for(service=str(claims.get("aud"))).service(form.token)
        else:
            await verifier.user(form.token)
    except Unauthorized:
        return Asked(form.token, None)
    return Asked(form.token, claims)


@router.post("/api/auth/introspect", response_model_exclude_none=True)
def introspect(
    _: Admin, asked: Annotated[Asked, Depends(asked)], db: DatabaseSession, response: Response
) -> Introspection:
    """Whether a token is good right now, whoever it was issued to, and what it says."""
    response.headers["Cache-Control"] = "no-store"
    if asked.claims is None:
        return _refresh_token(db, asked.token)
    if asked.claims["typ"] == "svc":
        return Introspection(active=True, kind="service", **asked.claims)
    user = db.get(User, UUID(asked.claims["sub"]))
    username = user.username if user is not None else None
    return Introspection(active=True, kind="access", username=username, **asked.claims)


def _refresh_token(db: Session, token: str) -> Introspection:
    live = (
        select(RefreshToken, UserSession, User)
        .join(UserSession, RefreshToken.session_id == UserSession.id)
        .join(User, UserSession.user_id == User.id)
        .where(
            RefreshToken.token_hash == hash_token(token),
            RefreshToken.spent_at.is_(None),
            RefreshToken.expires_at > utc_now(),
            UserSession.ended_at.is_(None),
        )
    )
    found = db.execute(live).first()
    if found is None or not found.User.may_log_in:
        return Introspection(active=False)
    return Introspection(
        active=True,
        kind="refresh",
        username=found.User.username,
        sub=str(found.User.id),
        sid=str(found.UserSession.id),
        role=found.User.role,
        iat=found.RefreshToken.created_at.timestamp(),
        exp=found.RefreshToken.expires_at.timestamp(),
    )
