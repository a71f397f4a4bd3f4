"""Errors of external logins."""

from cogniflow_kit.errors import Conflict, Forbidden, NotFound, Unauthorized
from users_service.accounts.errors import UsernameTaken


class ExternalLoginOff(NotFound):
    code = "external_login_off"

    def __init__(self) -> None:
        super().__init__("No login provider is configured here.")


class ExternalLoginFailed(Unauthorized):
    """The provider confirmed no identity, or its response can't be trusted."""

    code = "external_login_failed"


class LoginOfAnotherBrowser(ExternalLoginFailed):
    """The login was started in another browser, or its cookie is gone."""

    def __init__(self) -> None:
        super().__init__("This login was not begun in this browser; begin again.")


class LoginExpired(ExternalLoginFailed):
    def __init__(self) -> None:
        super().__init__("This login took too long, or was finished before; begin again.")


class NoIdentity(ExternalLoginFailed):
    def __init__(self) -> None:
        super().__init__("The provider didn't log you in; begin again.")


class CodeNotAccepted(ExternalLoginFailed):
    def __init__(self, provider: str) -> None:
        super().__init__(f"{provider} didn't accept the login; try again.")


class IdTokenNotValid(ExternalLoginFailed):
    def __init__(self, provider: str) -> None:
        super().__init__(f"{provider} gave an answer that can't be believed; try again.")


class ExternalLoginRefused(Forbidden):
    """The provider confirmed the identity, but its account here is locked or deactivated."""

    code = "external_login_refused"

    def __init__(self) -> None:
        super().__init__("This account is closed; ask an administrator.")


class ExternalEmailNotVerified(Forbidden):
    code = "external_email_not_verified"

    def __init__(self) -> None:
        super().__init__(
            "The provider doesn't vouch for an e-mail address of yours; verify it there, then try again."
        )


class AccountEmailNotVerified(Conflict):
    """An account has the address but never verified it, so it may belong to somebody else."""

    code = "account_email_not_verified"

    def __init__(self) -> None:
        super().__init__(
            "There is an account with this e-mail address that was never verified; "
            "log in with its password and verify the address, then try again."
        )


class NoFreeUsername(UsernameTaken):
    def __init__(self) -> None:
        super().__init__("No free username was found; try again.")
