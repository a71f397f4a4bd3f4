"""Client-side time limits on PostgreSQL, which also hold while the server is frozen.

`statement_timeout` is enforced by the server, and TCP timeouts don't fire as
long as the kernel of a stopped process acknowledges packets. psycopg2 calls
`wait` to wait for the socket; an error raised there closes the connection, and
SQLAlchemy treats it as lost.
"""

import select
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from math import inf
from time import monotonic

from psycopg2 import OperationalError
from psycopg2.extensions import (
    POLL_OK,
    POLL_READ,
    STATUS_SETUP,
    connection,
    cursor,
    parse_dsn,
    set_wait_callback,
)

RESPONSE_TIMEOUT_S = 12.0

_deadline: ContextVar[float] = ContextVar("deadline", default=inf)


class DeadlineConnection(connection):
    """Waits at most RESPONSE_TIMEOUT_S for one response; other connections wait without limit."""

    def commit(self) -> None:
        if remaining() <= 0:
            # Close instead of committing: the caller has given up, so a late COMMIT would have no reader.
            self.close()
            raise OperationalError("the deadline passed before the COMMIT")
        super().commit()


@contextmanager
def within(seconds: float) -> Iterator[None]:
    """Limit the time for PostgreSQL inside the block, from now; of nested limits the earliest applies.

    After the deadline a waiting statement raises OperationalError and its
    connection is closed; no statement or COMMIT is sent any more. Whether an
    autocommitted statement or a COMMIT that was already sent took effect is
    unknown, as whenever a connection is lost. Open the block around the
    transaction and in the same function: FastAPI runs dependencies and
    handlers in separate contexts, and new threads start without a deadline.
    """
    token = _deadline.set(min(_deadline.get(), monotonic() + seconds))
    try:
        yield
    finally:
        _deadline.reset(token)


def remaining() -> float:
    """Seconds until the deadline: negative after it, infinite without one."""
    return _deadline.get() - monotonic()


def install() -> None:
    """Make psycopg2 wait with `wait`, in the whole process."""
    set_wait_callback(wait)


def wait(waiting: connection, _: cursor | None = None) -> None:
    """Block until the connection has its response. Raises: OperationalError (time limit passed)."""
    limit_s = min(_timeout_s(waiting), remaining())
    until = monotonic() + limit_s
    while (state := waiting.poll()) != POLL_OK:
        ready = select.poll()
        ready.register(waiting.fileno(), select.POLLIN if state == POLL_READ else select.POLLOUT)
        left_s = until - monotonic()
        if left_s <= 0 or not ready.poll(None if left_s == inf else left_s * 1000):
            raise no_response(limit_s)


def no_response(limit_s: float) -> OperationalError:
    return OperationalError(f"PostgreSQL did not answer within {max(limit_s, 0):.1f} s")


def _timeout_s(waiting: connection) -> float:
    if waiting.status == STATUS_SETUP:
        # libpq ignores connect_timeout when the caller does the waiting.
        return float(parse_dsn(waiting.dsn).get("connect_timeout", 0)) or inf
    return RESPONSE_TIMEOUT_S if isinstance(waiting, DeadlineConnection) else inf
