"""Errors of the enrollment routes."""

from cogniflow_kit.errors import Conflict, NotFound


class NotEnrolled(NotFound):
    """The user is not enrolled; the error does not tell whether the course exists."""

    code = "not_enrolled"

    def __init__(self) -> None:
        super().__init__("You aren't enrolled in such a course.")


class NotOpen(Conflict):
    """The course is a draft or archived, so that no learner can enroll."""

    code = "not_open"

    def __init__(self) -> None:
        super().__init__("The course isn't open for enrollment.")
