"""Refusals of logging in."""

from datetime import timedelta

from cogniflow_kit.errors import Forbidden, NotFound, ServiceError, Unauthorized


class InvalidCredentials(Unauthorized):
    """Says the same for an unknown user and a wrong password; the failure is counted."""

    code = "invalid_credentials"
    keeps_changes = True


class TooManyAttempts(ServiceError):
    status = 429
    code = "too_many_attempts"
    keeps_changes = True
    what = "wrong passwords"
    instead = ", or reset the password"

    def __init__(self, window: timedelta) -> None:
        minutes = window // timedelta(minutes=1)
        super().__init__(
            f"Too many {self.what}; wait {minutes} minutes{self.instead}.",
            headers={"Retry-After": str(window // timedelta(seconds=1))},
        )


class TooManyMails(TooManyAttempts):
    what = "mails asked for"
    instead = ""


class AccessRefused(Forbidden):
    """Somebody logged in has another role than it takes; the attempt is recorded."""

    keeps_changes = True


class InvalidRefreshToken(Unauthorized):
    code = "invalid_refresh_token"


class RefreshTokenReused(InvalidRefreshToken):
    """The session has been ended with it."""

    keeps_changes = True


class SessionNotFound(NotFound):
    code = "session_not_found"


class InvalidClient(Unauthorized):
    code = "invalid_client"
    keeps_changes = True


class InvalidScope(Forbidden):
    code = "invalid_scope"
    keeps_changes = True
