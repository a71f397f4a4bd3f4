"""Who is calling: JWTs verified against the published keys, and what they may do.

The only module of the kit that imports `jose`. python-jose accepts forged
tokens when `algorithms` is left out and mistakes raw public keys for HMAC
secrets, so exactly one algorithm is given and keys are PEM alone.
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
# What reading a text that anybody may have written can raise; pydantic's errors are ValueErrors.
_MALFORMED = (JOSEError, ValueError, TypeError, AttributeError, OverflowError, RecursionError)

Role = Literal["student", "instructor", "researcher", "admin"]


class KeySource(Protocol):
    """What tokens are verified against."""

    def start(self) -> None:
        """Called before the first request."""

    def stop(self) -> None:
        """Called after the last one."""

    async def pem(self, kid: str) -> str | None:
        """The public key of this id, or None when nobody published it."""

    def revoked(self, session_id: UUID, user_id: UUID, issued_at: float) -> bool:
        """Whether a token of this session, issued at this Unix time, counts no more."""


@dataclass(frozen=True)
class User:
    """A person with a verified access token; `token` is passed on when acting for them."""

    id: UUID
    role: Role
    session_id: UUID
    token: str

    @property
    def teaches(self) -> bool:
        return self.role in ("instructor", "admin")


@dataclass(frozen=True)
class Service:
    """Another CogniFlow service with a verified token of its own."""

    name: str
    scopes: frozenset[str]


@dataclass(frozen=True)
class _Verified:
    """A user's token whose signature was checked; times are Unix times."""

    user: User
    kid: str
    issued_at: float
    expires_at: float


class _Claims(BaseModel):
    """What every token says, of the types that it has to be; times are Unix times."""

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
    """Turns a bearer token into a caller, or refuses it without saying why.

    Checking a signature takes 110 µs, so users' tokens are remembered until
    they expire. Key and revocations are looked up at each use all the same.
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
        """The id of the key that signed the token, and what it says."""
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
        # jose lets a token live until the end of the second in which it expires.
        if claims.exp <= now or claims.iat > now + CLOCK_SKEW_S:
            raise _refused()
        return kid, claims

    def _signed(self, token: str, pem: str, audience: str) -> dict[str, Any]:
        """The claims, once the signature is found to be the key's."""
        return jwt.decode(
            token,
            pem,
            algorithms=[ALGORITHM],
            audience=audience,
            issuer=self._issuer,
            options={f"require_{name}": True for name in ("aud", "exp", "iat", "iss", "jti", "sub")},
        )


def public_pem(key: dict[str, str]) -> str:
    """The PEM of a public JSON Web Key. Raises JWKError for what is none."""
    pem: bytes = jwk.construct(key).to_pem()
    return pem.decode()


def _refused() -> Unauthorized:
    return Unauthorized("The access token is missing, expired or not valid; log in again.")


bearer = OAuth2PasswordBearer(tokenUrl="/api/auth/token", auto_error=False)
BearerToken = Annotated[str | None, Depends(bearer)]


class _UserScheme(SecurityBase):
    """Reads the bearer token and verifies it, as one dependency: FastAPI takes 50 µs for each one more.

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
    """A dependency that lets only these roles in."""

    async def check(user: CurrentUser) -> User:
        if user.role not in roles:
            raise Forbidden("Your role doesn't allow this.")
        return user

    return check


Instructor = Annotated[User, Depends(requires_role("instructor", "admin"))]
Admin = Annotated[User, Depends(requires_role("admin"))]


def requires_scope(scope: str) -> Callable[[Request, BearerToken], Awaitable[Service]]:
    """A dependency that lets in only services whose token carries this scope."""

    async def check(request: Request, token: BearerToken) -> Service:
        if token is None:
            raise _refused()
        verifier: TokenVerifier = request.app.state.verifier
        caller = await verifier.service(token)
        if scope not in caller.scopes:
            raise Forbidden(f"The service token lacks the scope {scope}.")
        return caller

    return check
