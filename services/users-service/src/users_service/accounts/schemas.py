"""Bodies of the account routes."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

from fastapi import Query
from pydantic import Field

from cogniflow_kit.identity import Role
from cogniflow_kit.schemas import RequestBody, ResponseBody
from users_service.accounts.policy import MAX_LENGTH, MIN_LENGTH

Username = Annotated[str, Field(min_length=3, max_length=64, pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*$")]
# What browsers accept in an e-mail field: HTML Living Standard, "valid e-mail address". Unlike stricter
# checks it lets addresses of intranets through, which self-hosted installations have.
_LABEL = r"[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?"
Email = Annotated[
    str,
    Field(max_length=254, pattern=rf"^[A-Za-z0-9.!#$%&'*+/=?^_`{{|}}~-]+@{_LABEL}(?:\.{_LABEL})*$"),
]
FullName = Annotated[str, Field(min_length=1, max_length=200)]
Password = Annotated[str, Field(min_length=MIN_LENGTH, max_length=MAX_LENGTH)]
SearchText = Annotated[str, Query(min_length=1, max_length=254, pattern=r"^[^\x00]*$")]
CurrentPassword = Annotated[str, Field(min_length=1, max_length=MAX_LENGTH)]
MailedToken = Annotated[str, Field(min_length=20, max_length=100, pattern=r"^[A-Za-z0-9_-]+$")]


class Registration(RequestBody):
    username: Username
    email: Email
    full_name: FullName
    password: Password


class NewUser(RequestBody):
    """Without `password` the person gets a link by mail to choose one."""

    username: Username
    email: Email
    full_name: FullName
    role: Role
    password: Password | None = None


class RoleChange(RequestBody):
    role: Role


class TokenBody(RequestBody):
    """`token`: from the link in the mail."""

    token: MailedToken


class ForgottenPassword(RequestBody):
    email: Email


class PasswordReset(RequestBody):
    token: MailedToken
    password: Password


class PasswordChange(RequestBody):
    current_password: CurrentPassword
    new_password: Password


class EmailChange(RequestBody):
    """`password`: the present one, asked for again."""

    email: Email
    password: CurrentPassword


class Deactivation(RequestBody):
    """`password`: the present one, asked for again."""

    password: CurrentPassword


class Accepted(ResponseBody):
    """What happens next."""

    detail: str


class UserOut(ResponseBody):
    """`is_active` is false after the person left, `locked_at` set while an admin keeps them out.

    `last_login` is null until the first one.
    """

    id: UUID
    username: str
    email: str
    full_name: str
    role: Role
    is_active: bool
    locked_at: datetime | None
    email_verified_at: datetime | None
    created_at: datetime
    last_login: datetime | None
