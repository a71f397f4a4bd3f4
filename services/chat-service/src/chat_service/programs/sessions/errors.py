"""Refusals of programs."""

from cogniflow_kit.errors import Conflict, NotFound, ServiceError, Unprocessable


class ProgramNotFound(NotFound):
    code = "program_not_found"

    def __init__(self) -> None:
        super().__init__("There is no such program.")


class SessionNotFound(NotFound):
    code = "session_not_found"

    def __init__(self) -> None:
        super().__init__("There is no such session.")


class SessionCompleted(Conflict):
    code = "session_completed"

    def __init__(self) -> None:
        super().__init__("This session is completed; start the program again for another round.")


class SessionPaused(Conflict):
    code = "session_paused"

    def __init__(self) -> None:
        super().__init__("This session is paused; resume it to go on.")


class WeekNotBegun(NotFound):
    """Also for a week that is hidden or that the program doesn't have."""

    code = "week_not_begun"

    def __init__(self) -> None:
        super().__init__("You haven't begun this week; weeks open when the one before is completed.")


class WeekLocked(Conflict):
    """An earlier week was restarted. Later ones quote what is kept there, which isn't said yet."""

    code = "week_locked"

    def __init__(self) -> None:
        super().__init__("You are in an earlier week; complete it, then this one can be restarted.")


class NotAnonymous(NotFound):
    """The program asks for an account, or the installation lets nobody begin without one."""

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
