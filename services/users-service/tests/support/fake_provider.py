"""An OpenID Connect provider over HTTP; tests can make it misbehave."""

import base64
import hashlib
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs, parse_qsl, urlsplit

from joserfc import jwt
from joserfc.jwk import ECKey, KeySet, RSAKey

from cogniflow_dev.testing.servers import Call

CLIENT_ID, CLIENT_SECRET = "cogniflow", "the client's secret: & spaces"


@dataclass
class FakeProvider:
    """Issues ID tokens without asking for a login; `claims` overrides their claims."""

    key: RSAKey | ECKey = field(default_factory=lambda: RSAKey.generate_key(2048, {"kid": "first"}))
    url: str = ""
    alg: str = "RS256"
    claims: dict[str, Any] = field(default_factory=dict)
    published: list[Any] = field(default_factory=list)
    metadata: dict[str, Any] = field(default_factory=dict)
    token_status: int = 200
    away: bool = False
    challenges: dict[str, dict[str, str]] = field(default_factory=dict)
    forge: Callable[[str], str] = str
    access_token: str = "an access token"

    def answer(self, call: Call) -> tuple[int, Any]:
        if self.away:
            return 503, {}
        return {
            "/.well-known/openid-configuration": self._discovery,
            "/jwks": self._jwks,
            "/token": lambda: self._token(call),
        }[call.path]()

    def authorize(self, url: str) -> dict[str, str]:
        """Return the query parameters of the redirect back from the authorization endpoint."""
        asked = dict(parse_qsl(urlsplit(url).query))
        assert asked["response_type"] == "code"
        assert asked["client_id"] == CLIENT_ID
        assert asked["code_challenge_method"] == "S256"
        code = f"code-{len(self.challenges)}"
        self.challenges[code] = asked
        return {"code": code, "state": asked["state"], "iss": self.url}

    def _discovery(self) -> tuple[int, Any]:
        return 200, {
            "issuer": self.url,
            "authorization_endpoint": f"{self.url}/authorize",
            "token_endpoint": f"{self.url}/token",
            "jwks_uri": f"{self.url}/jwks",
            "response_types_supported": ["code"],
            "subject_types_supported": ["public"],
            "id_token_signing_alg_values_supported": ["RS256", "HS256", "none"],
        } | self.metadata

    def _jwks(self) -> tuple[int, Any]:
        return 200, KeySet(self.published or [self.key]).as_dict(private=False)

    def _token(self, call: Call) -> tuple[int, Any]:
        form = {name: values[0] for name, values in parse_qs(call.body.decode()).items()}
        basic = base64.b64decode(call.headers["Authorization"].removeprefix("Basic ")).decode()
        assert basic == "cogniflow:the%20client%27s%20secret%3A%20%26%20spaces"
        asked = self.challenges.pop(form["code"], None)
        if self.token_status != 200 or asked is None:
            return 400, {"error": "invalid_grant"}
        digest = hashlib.sha256(form["code_verifier"].encode()).digest()
        assert base64.urlsafe_b64encode(digest).decode().rstrip("=") == asked["code_challenge"]
        assert form["redirect_uri"] == asked["redirect_uri"]
        tokens = {"access_token": self.access_token, "token_type": "Bearer"}
        return 200, {**tokens, "id_token": self.forge(self._id_token(asked["nonce"]))}

    def _id_token(self, nonce: str) -> str:
        now = int(time.time())
        claims = {
            "iss": self.url,
            "aud": CLIENT_ID,
            "sub": "subject-1",
            "iat": now,
            "exp": now + 300,
            "nonce": nonce,
            "email": "Maja@Example.org",
            "email_verified": True,
            "name": "Maja Novak",
            "preferred_username": "maja",
        } | self.claims
        said = {name: value for name, value in claims.items() if value is not None}
        header = {"alg": self.alg, "kid": self.key.kid}
        return jwt.encode(header, said, self.key, algorithms=[self.alg])
