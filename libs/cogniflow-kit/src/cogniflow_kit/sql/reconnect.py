"""Replaces pooled connections that died while nobody used them, at no cost to a busy path.

SQLAlchemy's `pool_pre_ping` pays a round trip for every checkout. A server
that stops says so on the socket, where it costs no round trip to look; only
what was idle long enough to have been cut off silently is asked.
"""

import select
from time import monotonic

import psycopg2
from sqlalchemy import Engine, event
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.exc import InvalidatePoolError
from sqlalchemy.pool import ConnectionPoolEntry, PoolProxiedConnection

from cogniflow_kit.sql.deadline import within

IDLE_S = 10.0
PING_S = 3.0
_IDLE_SINCE = "idle_since"


def install(engine: Engine) -> None:
    """Look at each connection of the engine as it leaves the pool."""

    def checkin(_: DBAPIConnection | None, entry: ConnectionPoolEntry) -> None:
        entry.info[_IDLE_SINCE] = monotonic()

    def checkout(used: DBAPIConnection, entry: ConnectionPoolEntry, _: PoolProxiedConnection) -> None:
        if _IDLE_SINCE not in entry.info:
            return
        try:
            if is_readable(used.fileno()):
                raise InvalidatePoolError("the server closed it")
            if monotonic() - entry.info[_IDLE_SINCE] > IDLE_S:
                with within(PING_S):
                    engine.dialect.do_ping(used)
        except psycopg2.Error as error:
            raise InvalidatePoolError("it gave no answer") from error

    event.listen(engine, "checkin", checkin)
    event.listen(engine, "checkout", checkout)


def is_readable(socket: int) -> bool:
    """An idle connection has nothing to read, except when the server has ended it."""
    ready = select.poll()
    ready.register(socket, select.POLLIN)
    return bool(ready.poll(0))
