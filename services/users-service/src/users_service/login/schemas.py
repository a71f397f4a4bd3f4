"""Request and response bodies of the login routes."""

from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

from pydantic import Field

from cogniflow_kit.identity import MAX_TOKEN_BYTES
from cogniflow_kit.schemas import RequestBody, ResponseBody

RefreshTokenText = Annotated[str, Field(min_length=20, max_length=200, pattern=r"^[A-Za-z0-9_-]+$")]


class TokenPair(ResponseBody):
    """`expires_in` is the access token's lifetime in seconds."""

    access_token: str
    refresh_token: str
    token_type: Literal["bearer"] = "bearer"
    expires_in: int


class Refresh(RequestBody):
    refresh_token: RefreshTokenText


class SessionOut(ResponseBody):
    """`current`: whether the request was made with this session. `device`: its user agent."""

    id: UUID
    device: str
    address: str
    created_at: datetime
    last_used_at: datetime
    current: bool = False


class SessionList(ResponseBody):
    items: list[SessionOut]


class ServiceToken(ResponseBody):
    """`expires_in` is the token's lifetime in seconds."""

    access_token: str
    token_type: Literal["bearer"] = "bearer"
    expires_in: int
    scope: str


class PasswordForm(RequestBody):
    """The resource owner password grant of RFC 6749, section 4.3."""

    grant_type: Literal["password"] = "password"
    username: str = Field(min_length=1, max_length=254)
    password: str = Field(min_length=1, max_length=128)
    scope: str = Field(default="", max_length=200)
    client_id: str | None = Field(default=None, max_length=200)
    client_secret: str | None = Field(default=None, max_length=200)


class ClientCredentialsForm(RequestBody):
    """The client credentials grant of RFC 6749, section 4.4."""

    grant_type: Literal["client_credentials"]
    client_id: str = Field(min_length=1, max_length=64)
    client_secret: str = Field(min_length=1, max_length=200)
    audience: str = Field(min_length=1, max_length=64)
    scope: str = Field(min_length=1, max_length=200)


class IntrospectionForm(RequestBody):
    """The request of RFC 7662, section 2.1. `token_type_hint` is accepted and ignored."""

    token: str = Field(min_length=1, max_length=MAX_TOKEN_BYTES)
    token_type_hint: str | None = Field(default=None, max_length=100)


class Introspection(ResponseBody):
    """The response of RFC 7662, section 2.2. An invalid token has only `active`.

    `sub` is the user's id or the service's name. `iat` and `exp` are Unix times in seconds.
    """

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
