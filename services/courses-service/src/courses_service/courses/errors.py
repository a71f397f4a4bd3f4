"""Refusals of the course routes."""

from cogniflow_kit.errors import Conflict, Unprocessable


class EditedMeanwhile(Conflict):
    """The edit was based on a version that isn't the current one any more."""

    code = "edited_meanwhile"


class MarkupTooComplex(Unprocessable):
    code = "markup_too_complex"
