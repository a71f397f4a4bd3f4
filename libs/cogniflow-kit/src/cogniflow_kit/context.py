"""What belongs to the request being served, wherever in the code it is needed."""

import re
from contextvars import ContextVar

import uuid_utils

REQUEST_ID_HEADER = "X-Request-ID"
_ACCEPTED = re.compile(r"[A-Za-z0-9._-]{1,64}")

request_id: ContextVar[str | None] = ContextVar("request_id", default=None)


def accept_request_id(given: str | None) -> str:
    """The caller's id where it is harmless in a log, else a new one."""
    if given is not None and _ACCEPTED.fullmatch(given):
        return given
    return str(uuid_utils.uuid7())
