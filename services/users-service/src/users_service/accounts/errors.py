"""Errors of the account routes."""

from cogniflow_kit.errors import Conflict, Forbidden, NotFound, Unprocessable


class UsernameTaken(Conflict):
    code = "username_taken"

    def __init__(self, detail: str = "This username is taken; choose another.") -> None:
        super().__init__(detail)


class EmailTaken(Conflict):
    code = "email_taken"

    def __init__(
        self, detail: str = "An account with this e-mail address exists; log in or reset its password."
    ) -> None:
        super().__init__(detail)


class NewEmailTaken(EmailTaken):
    """An account's new address belongs to another account."""

    def __init__(self) -> None:
        super().__init__("Another account has this e-mail address.")


class EmailAlreadyVerified(Conflict):
    code = "email_already_verified"

    def __init__(self) -> None:
        super().__init__("This e-mail address is confirmed.")


class LastAdmin(Conflict):
    """The change would leave no admin who can log in."""

    code = "last_admin"

    def __init__(self) -> None:
        super().__init__("This is the only admin; make somebody else one first.")


class UserNotFound(NotFound):
    code = "user_not_found"

    def __init__(self) -> None:
        super().__init__("There is no such user.")


class PasswordTooCommon(Unprocessable):
    code = "password_too_common"

    def __init__(
        self, detail: str = "This password is easy to guess; choose a longer or less usual one."
    ) -> None:
        super().__init__(detail)


class PasswordTooShort(PasswordTooCommon):
    """Has the code of PasswordTooCommon."""

    def __init__(self, min_length: int) -> None:
        super().__init__(f"Choose a password of at least {min_length} characters.")


class WrongPassword(Forbidden):
    """A logged-in user gave a wrong password as confirmation. The counted failure is committed."""

    code = "wrong_password"
    keeps_changes = True

    def __init__(self) -> None:
        super().__init__("The password is wrong.")


class InvalidToken(Forbidden):
    """The token of a mailed link is unknown, used, replaced or expired, with the same text for all."""

    code = "invalid_token"

    def __init__(self) -> None:
        super().__init__("This link was used, has expired or is not valid; ask for a new one.")
