"""Refusals of programmes."""

from cogniflow_kit.errors import Conflict, NotFound


class ProgrammeNotFound(NotFound):
    code = "program_not_found"

    def __init__(self) -> None:
        super().__init__("There is no such programme.")


class SessionNotFound(NotFound):
    code = "session_not_found"

    def __init__(self) -> None:
        super().__init__("There is no such session.")


class SessionCompleted(Conflict):
    code = "session_completed"

    def __init__(self) -> None:
        super().__init__("This session is completed; start the programme again for another round.")
