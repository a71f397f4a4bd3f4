"""Errors of the reviews feature."""

from cogniflow_kit.errors import Conflict, NotFound


class ReviewNotFound(NotFound):
    code = "review_not_found"

    def __init__(self) -> None:
        super().__init__("There is no such review.")


class ReviewClosed(Conflict):
    code = "review_closed"

    def __init__(self) -> None:
        super().__init__("This review was closed with another outcome or note, which stay.")
