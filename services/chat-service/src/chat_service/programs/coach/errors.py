"""Errors of a message that the coach can't answer in the session's state."""

from cogniflow_kit.errors import Conflict, NotFound


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
    """The week lies after the current one, which was restarted: its texts may quote answers still to come."""

    code = "week_locked"

    def __init__(self) -> None:
        super().__init__("You are in an earlier week; complete it, then this one can be restarted.")
