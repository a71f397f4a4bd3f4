"""Tokens that services call each other with (RFC 6749, section 4.4)."""

import hashlib
import hmac

from sqlalchemy.orm import Session

from cogniflow_kit.sql.database import Database
from users_service.audit.event_types import EventType
from users_service.audit.service import AuditLog
from users_service.keys.jwt import sign
from users_service.keys.service import KeyRing
from users_service.login.errors import InvalidClient, InvalidScope
from users_service.login.repository import LoginRepository
from users_service.login.schemas import ClientCredentialsForm, ServiceToken
from users_service.settings import Settings

LIFETIME_S = 60

_PERSONAL_DATA = ["people:export", "people:erase"]
GRANTS = {
    "users-service": {
        "analytics-service": ["events:write", *_PERSONAL_DATA],
        "chat-service": _PERSONAL_DATA,
        "courses-service": _PERSONAL_DATA,
    },
    "courses-service": {"analytics-service": ["events:write"], "users-service": ["tokens:verify"]},
    "chat-service": {
        "analytics-service": ["events:write"],
        "courses-service": ["lessons:read"],
        "users-service": ["tokens:verify"],
    },
    "analytics-service": {"users-service": ["tokens:verify"]},
}
"""By calling service: which services it may call, with which scopes. Everything else is refused."""


class ServiceTokens:
    """Issues tokens to services."""

    def __init__(self, db: Session, settings: Settings, keys: KeyRing, audit: AuditLog) -> None:
        self._clients = LoginRepository(db)
        self._settings = settings
        self._keys = keys
        self._audit = audit

    def issue(self, form: ClientCredentialsForm) -> ServiceToken:
        """Issue a token for one audience, valid for LIFETIME_S seconds.

        Raises: InvalidClient (wrong id or secret), InvalidScope. Both are recorded.
        """
        client = self._clients.service_client(form.client_id)
        expected = client.secret_hash if client else ""
        if client is None or not hmac.compare_digest(_hash_secret(form.client_secret), expected):
            self._record_refusal(form)
            raise InvalidClient
        if not set(form.scope.split()) <= set(client.grants.get(form.audience, [])):
            self._record_refusal(form)
            raise InvalidScope(form.client_id, form.audience, form.scope)
        signer = self._keys.signer()
        token = sign(
            {"aud": form.audience, "sub": form.client_id, "scope": form.scope, "typ": "svc"},
            issuer=self._settings.public_url,
            lifetime_s=LIFETIME_S,
            kid=signer.kid,
            private_key=signer.private_key,
        )
        return ServiceToken(access_token=token, expires_in=LIFETIME_S, scope=form.scope)

    def _record_refusal(self, form: ClientCredentialsForm) -> None:
        self._audit.record(
            EventType.SERVICE_TOKEN_REFUSED,
            client_id=form.client_id,
            audience=form.audience,
            scope=form.scope,
        )


def register_clients(database: Database, settings: Settings) -> None:
    """Store the hashed secret and the grants of each service in GRANTS, replacing older ones."""
    with database.transaction() as db:
        clients = LoginRepository(db)
        for client_id, grants in GRANTS.items():
            secret = settings.client_secret(client_id).get_secret_value()
            clients.put_service_client(client_id, secret_hash=_hash_secret(secret), grants=grants)


def _hash_secret(secret: str) -> str:
    """SHA-256 is enough: client secrets are long and random, not chosen by people."""
    return hashlib.sha256(secret.encode()).hexdigest()
