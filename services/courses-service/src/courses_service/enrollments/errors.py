"""Refusals of the enrollment routes."""

from cogniflow_kit.errors import Conflict, NotFound


class NotEnrolled(NotFound):
    code = "not_enrolled"


class NotOpen(Conflict):
    """The course takes nobody in: it is a draft or archived."""

    code = "not_open"
