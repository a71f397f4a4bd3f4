"""Token introspection for admins (RFC 7662)."""

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy.orm import Session

from users_service.login.repository import LoginRepository
from users_service.login.schemas import Introspection
from users_service.login.service import hash_token


@dataclass(frozen=True)
class InspectedToken:
    """A token, and its claims if it is a valid JWT of this platform."""

    token: str
    claims: dict[str, Any] | None


def describe_token(db: Session, inspected: InspectedToken) -> Introspection:
    """Describe an access, refresh or service token; `active` is false if it isn't valid now."""
    logins = LoginRepository(db)
    claims = inspected.claims
    if claims is None:
        return _describe_refresh_token(logins, inspected.token)
    if claims["typ"] == "svc":
        return Introspection(active=True, kind="service", **claims)
    return Introspection(active=True, kind="access", username=logins.username(UUID(claims["sub"])), **claims)


def _describe_refresh_token(logins: LoginRepository, token: str) -> Introspection:
    found = logins.valid_refresh_token(hash_token(token))
    if found is None or not found.user.may_log_in:
        return Introspection(active=False)
    return Introspection(
        active=True,
        kind="refresh",
        username=found.user.username,
        sub=str(found.user.id),
        sid=str(found.session.id),
        role=found.user.role,
        iat=found.token.created_at.timestamp(),
        exp=found.token.expires_at.timestamp(),
    )
