"""The provider's side of OpenID Connect: discovery, the code for tokens, what an ID token must say.

The only module that imports authlib and joserfc.
"""

import time
from dataclasses import dataclass
from threading import Lock
from typing import Any
from urllib.parse import quote

import httpx
import structlog
from authlib.oauth2.rfc6749.parameters import prepare_grant_uri
from authlib.oauth2.rfc7636 import create_s256_code_challenge
from authlib.oidc.core import CodeIDToken
from authlib.oidc.discovery import get_well_known_url
from joserfc import jwt
from joserfc.errors import InvalidKeyIdError, JoseError
from joserfc.jwk import KeySet
from joserfc.jws import JWSRegistry

from cogniflow_kit.errors import Unavailable
from users_service.oidc.errors import ExternalLoginFailed

log = structlog.stdlib.get_logger(__name__)

# Public-key signatures alone: a provider that lists `none` or HS256 doesn't make them acceptable.
ALGORITHMS = [
    "RS256",
    "RS384",
    "RS512",
    "PS256",
    "PS384",
    "PS512",
    "ES256",
    "ES384",
    "ES512",
    "Ed25519",
    "EdDSA",
]
SCOPE = "openid profile email"
CLOCK_SKEW_S = 60
_FRESH_S = 300
_TIMEOUT = httpx.Timeout(5.0, connect=2.0)


@dataclass(frozen=True)
class Identity:
    """Whom the provider vouches for. `email` is set only when it says that it verified the address."""

    issuer: str
    subject: str
    email: str | None
    name: str | None
    username: str | None


class Provider:
    """One provider, found by its issuer; usable from several threads.

    Takes no proxy from the environment, which would see the codes.
    """

    def __init__(
        self, issuer: str, client_id: str, client_secret: str, redirect_uri: str, *, name: str = ""
    ) -> None:
        self.issuer = issuer
        self._name = name or "The login provider"
        self._client_id = client_id
        self._redirect_uri = redirect_uri
        # client_secret_basic (RFC 6749, section 2.3.1): both are form-encoded first.
        self._auth = httpx.BasicAuth(quote(client_id, safe=""), quote(client_secret, safe=""))
        self._http = httpx.Client(timeout=_TIMEOUT, trust_env=False)
        self._lock = Lock()
        self._kept: dict[str, tuple[dict[str, Any], float]] = {}

    def authorization_url(self, state: str, nonce: str, code_verifier: str) -> str:
        """Where to send the browser. Raises Unavailable."""
        uri: str = prepare_grant_uri(
            self._metadata()["authorization_endpoint"],
            client_id=self._client_id,
            response_type="code",
            redirect_uri=self._redirect_uri,
            scope=SCOPE,
            state=state,
            nonce=nonce,
            code_challenge=create_s256_code_challenge(code_verifier),
            code_challenge_method="S256",
        )
        return uri

    def identity(self, code: str, code_verifier: str, nonce: str) -> Identity:
        """Redeem the code. Raises ExternalLoginFailed, or Unavailable when the provider is away."""
        tokens = self._redeem(code, code_verifier)
        try:
            claims = self._checked(tokens, nonce)
        except (JoseError, ValueError, TypeError, KeyError, OverflowError) as error:
            log.warning("ID token refused", issuer=self.issuer, error=type(error).__name__)
            raise ExternalLoginFailed(
                f"{self._name} gave an answer that can't be believed; try again."
            ) from error
        return Identity(
            issuer=self.issuer,
            subject=claims["sub"],
            email=_text(claims, "email") if claims.get("email_verified") is True else None,
            name=_text(claims, "name"),
            username=_text(claims, "preferred_username"),
        )

    def close(self) -> None:
        self._http.close()

    def _redeem(self, code: str, code_verifier: str) -> dict[str, Any]:
        form = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": self._redirect_uri,
            "code_verifier": code_verifier,
        }
        answer = self._call("POST", self._metadata()["token_endpoint"], data=form, auth=self._auth)
        if answer.is_client_error:
            raise ExternalLoginFailed(f"{self._name} didn't accept the login; try again.")
        return self._object(answer)

    def _checked(self, tokens: dict[str, Any], nonce: str) -> CodeIDToken:
        """OpenID Connect Core 1.0, section 3.1.3.7."""
        try:
            token = self._decoded(tokens["id_token"], self._document(self._metadata()["jwks_uri"]))
        except InvalidKeyIdError:
            # Signed by a key that is newer than what we keep.
            token = self._decoded(
                tokens["id_token"], self._document(self._metadata()["jwks_uri"], max_age_s=0)
            )
        expected = {"iss": self.issuer, "aud": self._client_id}
        options: dict[str, Any] = {
            name: {"essential": True, "value": value} for name, value in expected.items()
        }
        params = {"nonce": nonce, "client_id": self._client_id, "access_token": tokens.get("access_token")}
        claims = CodeIDToken(token.claims, token.header, options, params)
        claims.validate(leeway=CLOCK_SKEW_S)
        if not isinstance(claims["sub"], str) or not 0 < len(claims["sub"]) <= 255:
            raise ValueError("sub has to be a text of 255 characters at most")
        return claims

    def _decoded(self, id_token: str, jwks: dict[str, Any]) -> jwt.Token:
        registry = JWSRegistry(algorithms=ALGORITHMS, strict_check_header=False)
        return jwt.decode(id_token, KeySet.import_key_set(jwks), registry=registry)  # type: ignore[arg-type]

    def _metadata(self) -> dict[str, Any]:
        """OpenID Connect Discovery 1.0, section 4. Raises Unavailable when it makes no sense."""
        found = self._document(get_well_known_url(self.issuer, external=True))
        endpoints = [found.get(name) for name in ("authorization_endpoint", "token_endpoint", "jwks_uri")]
        if found.get("issuer") != self.issuer:
            raise self._away("its discovery document names another issuer")
        # Over plain HTTP only where the issuer itself is: on one machine, or while developing.
        schemes = ("https://",) if self.issuer.startswith("https:") else ("https://", "http://")
        if not all(isinstance(url, str) and url.startswith(schemes) for url in endpoints):
            raise self._away("its discovery document lacks an endpoint, or leaves HTTPS")
        return found

    def _document(self, url: str, max_age_s: float = _FRESH_S) -> dict[str, Any]:
        """A JSON document of the provider, kept for a while."""
        with self._lock:
            document, fetched_at = self._kept.get(url, ({}, 0.0))
            if not document or time.monotonic() - fetched_at >= max_age_s:
                document = self._object(self._call("GET", url))
                self._kept[url] = (document, time.monotonic())
            return document

    def _call(self, method: str, url: str, **kwargs: Any) -> httpx.Response:
        try:
            answer = self._http.request(method, url, headers={"Accept": "application/json"}, **kwargs)
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            raise self._away(type(error).__name__) from error
        if answer.is_server_error or answer.is_redirect:
            raise self._away(f"status {answer.status_code}")
        return answer

    def _object(self, answer: httpx.Response) -> dict[str, Any]:
        try:
            found = answer.json()
        except ValueError as error:
            raise self._away("an answer that isn't JSON") from error
        if not answer.is_success or not isinstance(found, dict):
            raise self._away(f"status {answer.status_code}")
        return found

    def _away(self, why: str) -> Unavailable:
        log.warning("provider away", issuer=self.issuer, error=why)
        return Unavailable(f"{self._name} is away; try again shortly.")


def _text(claims: dict[str, Any], name: str) -> str | None:
    found = claims.get(name)
    return found.strip() if isinstance(found, str) and found.strip() else None
