"""Refusals of accounts."""

from cogniflow_kit.errors import Conflict, Forbidden, NotFound, Unprocessable


class UsernameTaken(Conflict):
    code = "username_taken"


class EmailTaken(Conflict):
    code = "email_taken"


class EmailAlreadyVerified(Conflict):
    code = "email_already_verified"


class LastAdmin(Conflict):
    """Nobody could let them in again."""

    code = "last_admin"


class UserNotFound(NotFound):
    code = "user_not_found"


class PasswordTooCommon(Unprocessable):
    code = "password_too_common"


class WrongPassword(Forbidden):
    """Somebody logged in has to show the password again, and didn't; counted like a failed login."""

    code = "wrong_password"
    keeps_changes = True


class InvalidToken(Forbidden):
    """Says the same for a forged, used, replaced or expired one."""

    code = "invalid_token"

    def __init__(self) -> None:
        super().__init__("This link was used, has expired or is not valid; ask for a new one.")
