"""Client of an OpenID Connect provider: discovery, code exchange, validation of the ID token.

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
from users_service.oidc.errors import CodeNotAccepted, IdTokenNotValid

log = structlog.stdlib.get_logger(__name__)

# Public-key signatures only: `none` and HS256 are refused, even if the provider's metadata lists them.
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
_CACHE_S = 300
_TIMEOUT = httpx.Timeout(5.0, connect=2.0)


@dataclass(frozen=True)
class Identity:
    """A user at the provider. `email` is None unless the provider verified the address."""

    issuer: str
    subject: str
    email: str | None
    name: str | None
    username: str | None


class Provider:
    """One OpenID Connect provider, configured by discovery. Usable from several threads.

    It ignores proxy settings in the environment, because a proxy would see the authorization codes.

    `name`: the provider's name in messages to users.
    """

    def __init__(
        self, issuer: str, client_id: str, client_secret: str, redirect_uri: str, *, name: str = ""
    ) -> None:
        self.issuer = issuer
        self._name = name or "The login provider"
        self._client_id = client_id
        self._redirect_uri = redirect_uri
        # client_secret_basic (RFC 6749, section 2.3.1) form-encodes id and secret first.
        self._auth = httpx.BasicAuth(quote(client_id, safe=""), quote(client_secret, safe=""))
        self._http = httpx.Client(timeout=_TIMEOUT, trust_env=False)
        self._lock = Lock()
        self._cache: dict[str, tuple[dict[str, Any], float]] = {}

    def authorization_url(self, state: str, nonce: str, code_verifier: str) -> str:
        """Return the URL that the browser is redirected to. Raises: Unavailable."""
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
        """Exchange the authorization code for the user's identity.

        Raises: CodeNotAccepted, IdTokenNotValid, Unavailable (when the provider can't be reached).
        """
        tokens = self._exchange(code, code_verifier)
        try:
            claims = self._validated_claims(tokens, nonce)
        except (JoseError, ValueError, TypeError, KeyError, OverflowError) as error:
            log.warning("ID token refused", issuer=self.issuer, error=type(error).__name__)
            raise IdTokenNotValid(self._name) from error
        return Identity(
            issuer=self.issuer,
            subject=claims["sub"],
            email=_text(claims, "email") if claims.get("email_verified") is True else None,
            name=_text(claims, "name"),
            username=_text(claims, "preferred_username"),
        )

    def close(self) -> None:
        self._http.close()

    def _exchange(self, code: str, code_verifier: str) -> dict[str, Any]:
        form = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": self._redirect_uri,
            "code_verifier": code_verifier,
        }
        answer = self._call("POST", self._metadata()["token_endpoint"], data=form, auth=self._auth)
        if answer.is_client_error:
            raise CodeNotAccepted(self._name)
        return self._object(answer)

    def _validated_claims(self, tokens: dict[str, Any], nonce: str) -> CodeIDToken:
        """Validate the ID token (OpenID Connect Core 1.0, section 3.1.3.7) and return its claims."""
        try:
            token = self._decode(tokens["id_token"], self._document(self._metadata()["jwks_uri"]))
        except InvalidKeyIdError:
            # The provider may have rotated its keys since they were cached.
            token = self._decode(
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
            raise ValueError("sub must be a string of 1 to 255 characters")
        return claims

    def _decode(self, id_token: str, jwks: dict[str, Any]) -> jwt.Token:
        registry = JWSRegistry(algorithms=ALGORITHMS, strict_check_header=False)
        return jwt.decode(id_token, KeySet.import_key_set(jwks), registry=registry)  # type: ignore[arg-type]

    def _metadata(self) -> dict[str, Any]:
        """Return the provider's metadata (OpenID Connect Discovery 1.0, section 4).

        Raises: Unavailable (also when the metadata isn't valid).
        """
        found = self._document(get_well_known_url(self.issuer, external=True))
        endpoints = [found.get(name) for name in ("authorization_endpoint", "token_endpoint", "jwks_uri")]
        if found.get("issuer") != self.issuer:
            raise self._unavailable("its discovery document names another issuer")
        # Plain HTTP is accepted only if the issuer uses it, as in development on one machine.
        schemes = ("https://",) if self.issuer.startswith("https:") else ("https://", "http://")
        if not all(isinstance(url, str) and url.startswith(schemes) for url in endpoints):
            raise self._unavailable("its discovery document lacks an endpoint, or leaves HTTPS")
        return found

    def _document(self, url: str, max_age_s: float = _CACHE_S) -> dict[str, Any]:
        """Return a JSON document of the provider, from the cache if it is at most `max_age_s` old."""
        with self._lock:
            document, fetched_at = self._cache.get(url, ({}, 0.0))
            if not document or time.monotonic() - fetched_at >= max_age_s:
                document = self._object(self._call("GET", url))
                self._cache[url] = (document, time.monotonic())
            return document

    def _call(self, method: str, url: str, **kwargs: Any) -> httpx.Response:
        try:
            answer = self._http.request(method, url, headers={"Accept": "application/json"}, **kwargs)
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            raise self._unavailable(type(error).__name__) from error
        if answer.is_server_error or answer.is_redirect:
            raise self._unavailable(f"status {answer.status_code}")
        return answer

    def _object(self, answer: httpx.Response) -> dict[str, Any]:
        try:
            found = answer.json()
        except ValueError as error:
            raise self._unavailable("an answer that isn't JSON") from error
        if not answer.is_success or not isinstance(found, dict):
            raise self._unavailable(f"status {answer.status_code}")
        return found

    def _unavailable(self, why: str) -> Unavailable:
        log.warning("login provider unavailable", issuer=self.issuer, error=why)
        return Unavailable(f"{self._name} is away; try again shortly.")


def _text(claims: dict[str, Any], name: str) -> str | None:
    found = claims.get(name)
    return found.strip() if isinstance(found, str) and found.strip() else None
