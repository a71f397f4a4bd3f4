"""Tokens that services show each other."""

import hmac

from sqlalchemy.orm import Session

from users_service.audit.trail import EventType, Trail
from users_service.keys.jwt import sign
from users_service.keys.service import KeyRing
from users_service.login.clients import hash_secret
from users_service.login.errors import InvalidClient, InvalidScope
from users_service.login.schemas import ClientCredentialsForm, ServiceToken
from users_service.settings import Settings
from users_service.tables import ServiceClient

LIFETIME_S = 60


class ServiceTokens:
    def __init__(self, db: Session, settings: Settings, keys: KeyRing, trail: Trail) -> None:
        self._db = db
        self._settings = settings
        self._keys = keys
        self._trail = trail

    def issue(self, form: ClientCredentialsForm) -> ServiceToken:
        """A token for one callee. Raises InvalidClient or InvalidScope, and records either."""
        client = self._db.get(ServiceClient, form.client_id)
        expected = client.secret_hash if client else ""
        if client is None or not hmac.compare_digest(hash_secret(form.client_secret), expected):
            self._refused(form)
            raise InvalidClient("The client's id or secret is wrong.")
        if not set(form.scope.split()) <= set(client.grants.get(form.audience, [])):
            self._refused(form)
            raise InvalidScope(f"{form.client_id} may not ask {form.audience} for {form.scope}.")
        signer = self._keys.signer()
        token = sign(
            {"aud": form.audience, "sub": form.client_id, "scope": form.scope, "typ": "svc"},
            issuer=self._settings.public_url,
            lifetime_s=LIFETIME_S,
            kid=signer.kid,
            private_key=signer.private_key,
        )
        return ServiceToken(access_token=token, expires_in=LIFETIME_S, scope=form.scope)

    def _refused(self, form: ClientCredentialsForm) -> None:
        self._trail.record(
            EventType.SERVICE_TOKEN_REFUSED,
            client_id=form.client_id,
            audience=form.audience,
            scope=form.scope,
        )
