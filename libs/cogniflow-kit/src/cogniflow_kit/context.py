"""The id of the request being served, as a context variable."""

import re
from contextvars import ContextVar

import uuid_utils

REQUEST_ID_HEADER = "X-Request-ID"
_ACCEPTED = re.compile(r"[A-Za-z0-9._-]{1,64}")

request_id: ContextVar[str | None] = ContextVar("request_id", default=None)


def accept_request_id(given: str | None) -> str:
    """The caller's id if it matches `[A-Za-z0-9._-]{1,64}` and so is safe in logs, else a new UUIDv7."""
    if given is not None and _ACCEPTED.fullmatch(given):
        return given
    return str(uuid_utils.uuid7())
