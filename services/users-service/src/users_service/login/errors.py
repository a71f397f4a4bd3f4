"""Refusals of logging in."""

from cogniflow_kit.errors import Forbidden, Unauthorized


class InvalidCredentials(Unauthorized):
    """Says the same for an unknown user and a wrong password."""

    code = "invalid_credentials"


class InvalidRefreshToken(Unauthorized):
    code = "invalid_refresh_token"


class InvalidClient(Unauthorized):
    code = "invalid_client"


class InvalidScope(Forbidden):
    code = "invalid_scope"
