"""Errors of the settings feature."""

from cogniflow_kit.errors import FieldProblem, NotFound, ServiceError, Unprocessable


class SettingNotFound(NotFound):
    code = "setting_not_found"

    def __init__(self) -> None:
        super().__init__("There is no such setting; GET /api/settings lists them all.")


class InvalidValue(Unprocessable):
    code = "validation_failed"

    def __init__(self, key: str, errors: list[FieldProblem]) -> None:
        super().__init__(f"{key} doesn't take this value; `errors` says why.", errors=errors)


class SecretUnreadable(ServiceError):
    """The secret cannot be decrypted until an admin sets it again. The feature that needs it stays off."""

    status = 503
    code = "secret_unreadable"

    def __init__(self, key: str) -> None:
        super().__init__(
            f"{key} was encrypted with another SETTINGS_ENCRYPTION_SECRET. Set it again, or name that"
            " one in SETTINGS_ENCRYPTION_PREVIOUS and start chat-service anew."
        )


class DecryptionFailed(Exception):
    """A stored secret was encrypted with an unknown key, or is damaged."""
