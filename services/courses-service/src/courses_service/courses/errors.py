"""Errors of the course routes."""

from cogniflow_kit.errors import Conflict, Unprocessable


class EditedMeanwhile(Conflict):
    """The edit names a course version that is not the current one."""

    code = "edited_meanwhile"

    def __init__(self, *, current: int, based_on: int) -> None:
        super().__init__(f"The course was edited meanwhile: it has version {current}, not {based_on}.")


class LessonMarkupTooComplex(Unprocessable):
    """The HTML of a lesson exceeds the sanitizer's limits."""

    code = "markup_too_complex"

    def __init__(self, reason: str) -> None:
        super().__init__(f"The lesson's markup is too complex: {reason}.")
