"""Request and response bodies of the account routes."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

from fastapi import Query
from pydantic import Field

from cogniflow_kit.identity import Role
from cogniflow_kit.schemas import RequestBody, ResponseBody
from users_service.accounts.password_policy import MAX_LENGTH, MIN_LENGTH

Username = Annotated[str, Field(min_length=3, max_length=64, pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*$")]
# The pattern that browsers use for e-mail fields ("valid e-mail address" in the HTML Living Standard).
# It accepts intranet addresses without a dot, which self-hosted installations may use.
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
    """Without `password` the user gets a mail with a link to choose one."""

    username: Username
    email: Email
    full_name: FullName
    role: Role
    password: Password | None = None


class RoleChange(RequestBody):
    role: Role


class TokenBody(RequestBody):
    """`token`: the one in the mailed link."""

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
    """`password`: the current one, as a confirmation."""

    email: Email
    password: CurrentPassword


class Deactivation(RequestBody):
    """`password`: the current one, as a confirmation."""

    password: CurrentPassword


class VerifyForm(RequestBody):
    """The form behind a mailed link that confirms an address."""

    token: MailedToken


class ResetForm(RequestBody):
    """The form behind a mailed link that resets a password.

    It accepts short passwords, so that the page can explain what is wrong with them.
    """

    token: MailedToken
    password: str = Field(min_length=1, max_length=MAX_LENGTH)


class Accepted(ResponseBody):
    """`detail`: what happens next."""

    detail: str


class UserOut(ResponseBody):
    """An account.

    `is_active` is false after the user deactivated it; `locked_at` is set while
    an admin locks it. `last_login` is null until the first login.
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
