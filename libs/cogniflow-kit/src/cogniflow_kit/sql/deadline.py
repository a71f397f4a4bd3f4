"""Time limits on PostgreSQL that the client keeps, so that they hold when the server is frozen.

`statement_timeout` is kept by the server, and TCP's own limits see a stopped
process's kernel still acknowledge. psycopg2 lets a callback do its waiting; an
error raised there closes the connection, which SQLAlchemy takes for lost.
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

PATIENCE_S = 12.0

_deadline: ContextVar[float] = ContextVar("deadline", default=inf)


class DeadlineConnection(connection):
    """Waits at most PATIENCE_S for any one answer; other connections wait until the server ends it."""

    def commit(self) -> None:
        if remaining() <= 0:
            # Unsent, it is certain not to take effect; an answer nobody waits for would be a guess.
            self.close()
            raise OperationalError("the deadline passed before the COMMIT")
        super().commit()


@contextmanager
def within(seconds: float) -> Iterator[None]:
    """Give PostgreSQL this long, from now, for everything inside the block; the nearest deadline counts.

    Past it, what waits raises OperationalError and loses its connection, and
    nothing more is begun or committed. Of a statement by itself, or a COMMIT,
    that was under way nobody knows whether it took effect, as whenever a
    connection is lost. Put the block around a transaction, not into it, and
    into one function: FastAPI runs dependencies and handlers in contexts of
    their own, and new threads begin without the deadline.
    """
    token = _deadline.set(min(_deadline.get(), monotonic() + seconds))
    try:
        yield
    finally:
        _deadline.reset(token)


def remaining() -> float:
    """Seconds until the deadline, negative when it has passed, infinite without one."""
    return _deadline.get() - monotonic()


def install() -> None:
    """Make every wait of psycopg2 in this process keep to its limit."""
    set_wait_callback(wait)


def wait(waiting: connection, _: cursor | None = None) -> None:
    """Block until the connection has its answer. Raises: OperationalError (not within the limit)."""
    limit_s = min(_patience(waiting), remaining())
    until = monotonic() + limit_s
    while (state := waiting.poll()) != POLL_OK:
        ready = select.poll()
        ready.register(waiting.fileno(), select.POLLIN if state == POLL_READ else select.POLLOUT)
        left_s = until - monotonic()
        if left_s <= 0 or not ready.poll(None if left_s == inf else left_s * 1000):
            raise no_answer(limit_s)


def no_answer(limit_s: float) -> OperationalError:
    return OperationalError(f"PostgreSQL did not answer within {max(limit_s, 0):.1f} s")


def _patience(waiting: connection) -> float:
    if waiting.status == STATUS_SETUP:
        # libpq leaves connect_timeout to whoever does the waiting.
        return float(parse_dsn(waiting.dsn).get("connect_timeout", 0)) or inf
    return PATIENCE_S if isinstance(waiting, DeadlineConnection) else inf
