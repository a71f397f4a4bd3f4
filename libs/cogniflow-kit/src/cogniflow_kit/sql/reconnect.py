"""Detects idle pooled connections that were lost, and has the pool replace them.

SQLAlchemy's `pool_pre_ping` takes a round trip at every checkout. Here a
checkout looks at the socket, which becomes readable when the server closes
it, and pings only connections that were idle for more than IDLE_S: a network
may have dropped those without notice.
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
    """Check each connection when it is taken from the pool of this engine."""

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
    """Whether an idle connection has something to read: only when the server has closed it."""
    ready = select.poll()
    ready.register(socket, select.POLLIN)
    return bool(ready.poll(0))
