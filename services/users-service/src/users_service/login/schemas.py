"""Bodies of the login routes."""

from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

from pydantic import Field

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
    """`current`: the one this request was made with."""

    id: UUID
    device: str
    address: str
    created_at: datetime
    last_used_at: datetime
    current: bool = False


class SessionList(ResponseBody):
    items: list[SessionOut]


class ServiceToken(ResponseBody):
    """`expires_in` in seconds."""

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
