"""Errors of logging in and of tokens."""

from datetime import timedelta
from typing import ClassVar

from cogniflow_kit.errors import Forbidden, NotFound, ServiceError, Unauthorized


class InvalidCredentials(Unauthorized):
    """Unknown user or wrong password, with the same text for both. The counted failure is committed."""

    code = "invalid_credentials"
    keeps_changes = True

    def __init__(self) -> None:
        super().__init__("The username or the password is wrong.")


class TooManyAttempts(ServiceError):
    """Too many wrong passwords. The recorded attempt is committed."""

    status = 429
    code = "too_many_attempts"
    keeps_changes = True
    text: ClassVar[str] = "Too many wrong passwords; wait {minutes} minutes, or reset the password."

    def __init__(self, window: timedelta) -> None:
        super().__init__(
            self.text.format(minutes=window // timedelta(minutes=1)),
            headers={"Retry-After": str(window // timedelta(seconds=1))},
        )


class TooManyMails(TooManyAttempts):
    text = "Too many mails asked for; wait {minutes} minutes."


class InvalidRefreshToken(Unauthorized):
    code = "invalid_refresh_token"

    def __init__(self, detail: str = "The refresh token is not valid any more; log in again.") -> None:
        super().__init__(detail)


class RefreshTokenReused(InvalidRefreshToken):
    """A spent token was used again. The end of its session is committed."""

    keeps_changes = True

    def __init__(self) -> None:
        super().__init__("This refresh token was used before; log in again.")


class SessionNotFound(NotFound):
    """Unknown, ended, or another user's session."""

    code = "session_not_found"

    def __init__(self) -> None:
        super().__init__("There is no such open session.")


class InvalidClient(Unauthorized):
    """A service's id or secret is wrong. The recorded attempt is committed."""

    code = "invalid_client"
    keeps_changes = True

    def __init__(self) -> None:
        super().__init__("The client's id or secret is wrong.")


class InvalidScope(Forbidden):
    """A service may not call that audience with that scope. The recorded attempt is committed."""

    code = "invalid_scope"
    keeps_changes = True

    def __init__(self, client_id: str, audience: str, scope: str) -> None:
        super().__init__(f"{client_id} may not ask {audience} for {scope}.")
