"""Refusals of accounts."""

from cogniflow_kit.errors import Conflict, NotFound


class UsernameTaken(Conflict):
    code = "username_taken"


class EmailTaken(Conflict):
    code = "email_taken"


class UserNotFound(NotFound):
    code = "user_not_found"
