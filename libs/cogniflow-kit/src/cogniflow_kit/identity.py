"""Authentication and roles: verifies access tokens (JWT) with the published keys.

The only module of the kit that imports `jose`. python-jose accepts forged
tokens without `algorithms` and takes raw public keys for HMAC secrets, so
exactly one algorithm is passed and all keys are PEM.
"""

import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Annotated, Any, Literal, Protocol, TypeVar
from uuid import UUID

from cachetools import LRUCache
from fastapi import Depends, Request
from fastapi.security import OAuth2PasswordBearer
from fastapi.security.base import SecurityBase
from jose import jwk, jwt
from jose.exceptions import JOSEError
from pydantic import BaseModel, ConfigDict, Field

from cogniflow_kit.errors import Forbidden, Unauthorized

ALGORITHM = "ES256"
AUDIENCE = "cogniflow"
REMEMBERED_TOKENS = 10_000
MAX_TOKEN_BYTES = 4096
CLOCK_SKEW_S = 30
_FOREIGN_KEY_HEADERS = frozenset({"crit", "jku", "jwk", "x5c", "x5u"})
# Errors that parsing an untrusted token can raise; those of Pydantic are ValueErrors.
_MALFORMED = (JOSEError, ValueError, TypeError, AttributeError, OverflowError, RecursionError)

Role = Literal["student", "instructor", "researcher", "admin"]


class KeySource(Protocol):
    """Keys and revocations to verify tokens with."""

    def start(self) -> None:
        """Called before the first request."""

    def stop(self) -> None:
        """Called after the last one."""

    async def pem(self, kid: str) -> str | None:
        """The public key with this id, None when it isn't published."""

    def revoked(self, session_id: UUID, user_id: UUID, issued_at: float) -> bool:
        """Whether a token of this session and user, issued at this Unix time, is revoked."""


@dataclass(frozen=True)
class User:
    """A user with a verified access token; `token` is for calls on behalf of the user."""

    id: UUID
    role: Role
    session_id: UUID
    token: str

    @property
    def teaches(self) -> bool:
        return self.role in ("instructor", "admin")


@dataclass(frozen=True)
class Service:
    """A CogniFlow service with a verified token."""

    name: str
    scopes: frozenset[str]


@dataclass(frozen=True)
class _Verified:
    """A user's verified token; times are Unix times."""

    user: User
    kid: str
    issued_at: float
    expires_at: float


class _Claims(BaseModel):
    """Claims of every token, strictly typed; times are Unix times."""

    model_config = ConfigDict(strict=True, hide_input_in_errors=True)

    jti: str
    iat: float = Field(allow_inf_nan=False)
    exp: float = Field(allow_inf_nan=False)


class _UserClaims(_Claims):
    typ: Literal["access"]
    sub: UUID = Field(strict=False)
    sid: UUID = Field(strict=False)
    role: Role


class _ServiceClaims(_Claims):
    typ: Literal["svc"]
    sub: str
    scope: str = ""


_Kind = TypeVar("_Kind", bound=_Claims)


class TokenVerifier:
    """Verifies bearer tokens. Raises Unauthorized with one text for every reason.

    Checking a signature takes 110 µs, so verified tokens of users are cached
    until they expire; key and revocations are checked at each use.
    """

    def __init__(self, keys: KeySource, *, issuer: str, service: str) -> None:
        self._keys = keys
        self._issuer = issuer
        self._service = service
        self._remembered: LRUCache[str, _Verified] = LRUCache(REMEMBERED_TOKENS)

    async def user(self, token: str) -> User:
        known = self._remembered.get(token)
        if known is None or known.expires_at <= time.time() or await self._keys.pem(known.kid) is None:
            known = await self._verified(token)
            self._remembered[token] = known
        user = known.user
        if self._keys.revoked(user.session_id, user.id, known.issued_at):
            raise _refused()
        return user

    async def _verified(self, token: str) -> _Verified:
        kid, claims = await self._claims(token, AUDIENCE, _UserClaims)
        user = User(claims.sub, claims.role, claims.sid, token)
        return _Verified(user, kid, claims.iat, claims.exp)

    async def service(self, token: str) -> Service:
        _, claims = await self._claims(token, self._service, _ServiceClaims)
        return Service(claims.sub, frozenset(claims.scope.split()))

    async def _claims(self, token: str, audience: str, kind: type[_Kind]) -> tuple[str, _Kind]:
        """The id of the signing key, and the claims."""
        if len(token) > MAX_TOKEN_BYTES:
            raise _refused()
        try:
            header = jwt.get_unverified_header(token)
            if header.get("alg") != ALGORITHM or _FOREIGN_KEY_HEADERS & header.keys():
                raise _refused()
            kid = str(header.get("kid", ""))
            pem = await self._keys.pem(kid)
            if pem is None:
                raise _refused()
            claims = kind.model_validate(self._signed(token, pem, audience))
        except _MALFORMED as error:
            raise _refused() from error
        now = time.time()
        # jose accepts a token until the end of the second in which it expires.
        if claims.exp <= now or claims.iat > now + CLOCK_SKEW_S:
            raise _refused()
        return kid, claims

    def _signed(self, token: str, pem: str, audience: str) -> dict[str, Any]:
        """The claims, after the signature is verified."""
        return jwt.decode(
            token,
            pem,
            algorithms=[ALGORITHM],
            audience=audience,
            issuer=self._issuer,
            options={f"require_{name}": True for name in ("aud", "exp", "iat", "iss", "jti", "sub")},
        )


def public_pem(key: dict[str, str]) -> str:
    """The PEM of a public JSON Web Key. Raises: JWKError (not a key)."""
    pem: bytes = jwk.construct(key).to_pem()
    return pem.decode()


def _refused() -> Unauthorized:
    return Unauthorized("The access token is missing, expired or not valid; log in again.")


bearer = OAuth2PasswordBearer(tokenUrl="/api/auth/token", auto_error=False)
BearerToken = Annotated[str | None, Depends(bearer)]


class _UserScheme(SecurityBase):
    """Reads and verifies the bearer token in one dependency, because FastAPI takes 50 µs for each.

    A security scheme, so that the OpenAPI document says which routes need a token.
    """

    def __init__(self) -> None:
        self.model = bearer.model
        self.scheme_name = bearer.scheme_name

    async def __call__(self, request: Request) -> User:
        token = await bearer(request)
        if token is None:
            raise _refused()
        verifier: TokenVerifier = request.app.state.verifier
        return await verifier.user(token)


current_user = _UserScheme()
CurrentUser = Annotated[User, Depends(current_user)]


def requires_role(*roles: Role) -> Callable[[CurrentUser], Awaitable[User]]:
    """A dependency that raises Forbidden for other roles."""

    async def check(user: CurrentUser) -> User:
        if user.role not in roles:
            raise Forbidden("Your role doesn't allow this.")
        return user

    return check


Instructor = Annotated[User, Depends(requires_role("instructor", "admin"))]
Admin = Annotated[User, Depends(requires_role("admin"))]


def requires_scope(scope: str) -> Callable[[Request, BearerToken], Awaitable[Service]]:
    """A dependency that raises Forbidden for service tokens without this scope."""

    async def check(request: Request, token: BearerToken) -> Service:
        if token is None:
            raise _refused()
        verifier: TokenVerifier = request.app.state.verifier
        caller = await verifier.service(token)
        if scope not in caller.scopes:
            raise Forbidden(f"The service token lacks the scope {scope}.")
        return caller

    return check
