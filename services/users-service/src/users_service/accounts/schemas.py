"""Bodies of the account routes."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

from pydantic import Field

from cogniflow_kit.identity import Role
from cogniflow_kit.schemas import RequestBody, ResponseBody

Username = Annotated[str, Field(min_length=3, max_length=64, pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*$")]
# What browsers accept in an e-mail field: HTML Living Standard, "valid e-mail address". Unlike stricter
# checks it lets addresses of intranets through, which self-hosted installations have.
_LABEL = r"[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?"
Email = Annotated[
    str,
    Field(max_length=254, pattern=rf"^[A-Za-z0-9.!#$%&'*+/=?^_`{{|}}~-]+@{_LABEL}(?:\.{_LABEL})*$"),
]
Password = Annotated[str, Field(min_length=10, max_length=128)]


class Registration(RequestBody):
    username: Username
    email: Email
    full_name: str = Field(min_length=1, max_length=200)
    password: Password


class UserOut(ResponseBody):
    """`last_login` is null until the first one."""

    id: UUID
    username: str
    email: str
    full_name: str
    role: Role
    is_active: bool
    created_at: datetime
    last_login: datetime | None
