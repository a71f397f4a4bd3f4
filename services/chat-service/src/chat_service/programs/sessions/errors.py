"""Errors of program sessions; `coach/errors.py` has those of a message."""

from cogniflow_kit.errors import Conflict, NotFound, ServiceError, Unprocessable


class ProgramNotFound(NotFound):
    code = "program_not_found"

    def __init__(self) -> None:
        super().__init__("There is no such program.")


class SessionNotFound(NotFound):
    code = "session_not_found"

    def __init__(self) -> None:
        super().__init__("There is no such session.")


class NotAnonymous(NotFound):
    """The program requires an account, or the installation allows no anonymous sessions."""

    code = "not_anonymous"

    def __init__(self) -> None:
        super().__init__("This program can't be begun without an account; log in and start it.")


class TooManyStarts(ServiceError):
    status = 429
    code = "too_many_starts"

    def __init__(self) -> None:
        super().__init__(
            "Very many anonymous sessions have begun within an hour; try again later, or log in.",
            headers={"Retry-After": "600"},
        )


class StartKeyReused(Unprocessable):
    code = "idempotency_key_reused"

    def __init__(self) -> None:
        super().__init__("This Idempotency-Key was used for another start.")


class AlreadyTakingPart(Conflict):
    code = "already_taking_part"

    def __init__(self) -> None:
        super().__init__("Your account has an open session of this program; complete that one first.")
