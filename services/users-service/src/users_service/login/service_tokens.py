"""Tokens that services show each other."""

import hmac

from users_service.keys.jwt import sign
from users_service.keys.service import KeyRing
from users_service.login.errors import InvalidClient, InvalidScope
from users_service.login.schemas import ClientCredentialsForm, ServiceToken
from users_service.settings import Settings

LIFETIME_S = 60

# Who may ask whom for what; anything not listed is refused.
_GRANTS = {
    ("users-service", "analytics-service"): {"events:write"},
    ("courses-service", "analytics-service"): {"events:write"},
    ("chat-service", "analytics-service"): {"events:write"},
    ("chat-service", "courses-service"): {"lessons:read"},
}


class ServiceTokens:
    def __init__(self, settings: Settings, keys: KeyRing) -> None:
        self._settings = settings
        self._keys = keys

    def issue(self, form: ClientCredentialsForm) -> ServiceToken:
        """A token for one callee. Raises InvalidClient or InvalidScope."""
        expected = self._settings.client_secret(form.client_id)
        given = form.client_secret.encode()
        if expected is None or not hmac.compare_digest(given, expected.get_secret_value().encode()):
            raise InvalidClient("The client's id or secret is wrong.")
        allowed = _GRANTS.get((form.client_id, form.audience), set())
        if not set(form.scope.split()) <= allowed:
            raise InvalidScope(f"{form.client_id} may not ask {form.audience} for {form.scope}.")
        signer = self._keys.signer()
        token = sign(
            {"aud": form.audience, "sub": form.client_id, "scope": form.scope, "typ": "svc"},
            issuer=self._settings.public_url,
            lifetime_s=LIFETIME_S,
            kid=signer.kid,
            private_pem=signer.private_pem,
        )
        return ServiceToken(access_token=token, expires_in=LIFETIME_S, scope=form.scope)
