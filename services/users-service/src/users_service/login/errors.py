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

    def __init__(self, window: timedelta) -> None:
        minutes = window // timedelta(minutes=1)
        super().__init__(
            f"Too many wrong passwords; wait {minutes} minutes, or reset the password.",
            headers={"Retry-After": str(window // timedelta(seconds=1))},
        )


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
