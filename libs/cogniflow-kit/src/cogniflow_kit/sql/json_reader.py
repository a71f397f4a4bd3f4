"""Reads JSON on the event loop, without a thread.

A hop to a thread and back costs more than the query. psycopg2's asynchronous
connections leave the waiting to the caller, here to the loop. They are always
in autocommit mode, so they suit single statements only. The JSON that
PostgreSQL builds goes out as the response body: no ORM object, no Pydantic
model, no second serialization.
"""

import asyncio
from collections.abc import Mapping, Sequence
from time import monotonic
from typing import Any

import psycopg2
from psycopg2.extensions import POLL_OK, POLL_READ, POLL_WRITE
from psycopg2.extensions import connection as DriverConnection  # noqa: N812 -- a class, named in lower case
from sqlalchemy import Dialect
from sqlalchemy.exc import TimeoutError as PoolTimeout

from cogniflow_kit.sql import deadline
from cogniflow_kit.sql.prepared import PreparedStatement, raise_translated
from cogniflow_kit.sql.reconnect import IDLE_S, PING_S, is_readable

CONNECT_S = 3.0
POOL_WAIT_S = 3.0
Row = tuple[Any, ...]


class JsonReader:
    """Connections of one event loop; each runs one statement at a time.

    Raises SQLAlchemy's errors, as other statements do: DBAPIError (with
    `connection_invalidated` when the connection was lost) and TimeoutError (no
    connection became free).
    """

    def __init__(self, dialect: Dialect, connect_args: Mapping[str, Any], size: int) -> None:
        self._dialect = dialect
        self._connect_args = connect_args
        self._loop = asyncio.get_running_loop()
        self._free = asyncio.Semaphore(size)
        self._idle: list[_Connection] = []

    async def read(self, statement: PreparedStatement, values: Mapping[str, Any]) -> bytes | None:
        """The first column of the first row as UTF-8, None without a row."""
        await self._acquire()
        connection: _Connection | None = None
        try:
            connection = await self._take()
            row = await connection.fetch(statement, values)
        except psycopg2.Error as error:
            lost = connection is not None and connection.closed
            sql = statement.sql if connection is not None else None
            raise_translated(error, self._dialect, statement=sql, connection_lost=lost)
        finally:
            if connection is not None and not connection.closed:
                self._idle.append(connection)
            self._free.release()
        return None if row is None else str(row[0]).encode()

    def close(self) -> None:
        """Close the idle connections; callable from any thread."""
        if self._loop.is_running():
            self._loop.call_soon_threadsafe(self._close_idle)
        else:
            self._close_idle()

    def _close_idle(self) -> None:
        while self._idle:
            self._idle.pop().close()

    async def _acquire(self) -> None:
        try:
            async with asyncio.timeout(min(POOL_WAIT_S, deadline.remaining())):
                await self._free.acquire()
        except TimeoutError as error:
            raise PoolTimeout("every connection for reading is in use") from error

    async def _take(self) -> "_Connection":
        while self._idle:
            connection = self._idle.pop()
            if not connection.closed and await connection.works():
                return connection
        # In a thread, since libpq blocks while it resolves the server's name.
        return _Connection(self._loop, await asyncio.to_thread(_connect, self._connect_args))


class _Connection:
    """An asynchronous connection whose socket the loop watches."""

    def __init__(self, loop: asyncio.AbstractEventLoop, driver: DriverConnection) -> None:
        self._loop = loop
        self._driver = driver
        self._socket = driver.fileno()
        self._prepared: set[str] = set()
        self._waiter: asyncio.Future[None] | None = None
        self._idle_since = monotonic()
        self._watched = True
        self._writing = False
        loop.add_reader(self._socket, self._advance)

    @property
    def closed(self) -> bool:
        return bool(self._driver.closed)

    async def fetch(self, statement: PreparedStatement, values: Mapping[str, Any]) -> Row | None:
        if statement.name not in self._prepared:
            await self._run(statement.prepare, None, deadline.RESPONSE_TIMEOUT_S)
            self._prepared.add(statement.name)
        return await self._run(statement.execute, statement.arguments(values), deadline.RESPONSE_TIMEOUT_S)

    async def works(self) -> bool:
        """Whether the connection still works; pings only after IDLE_S without use (see `reconnect`)."""
        if is_readable(self._socket):
            self.close()
        elif monotonic() - self._idle_since > IDLE_S:
            try:
                await self._run("SELECT 1", None, PING_S)
            except psycopg2.Error:
                self.close()
        return not self.closed

    def close(self) -> None:
        if not self._watched:
            return
        self._watched = False
        if not self._loop.is_closed():
            self._loop.remove_reader(self._socket)
            self._loop.remove_writer(self._socket)
        self._driver.close()

    async def _run(self, statement: str, parameters: Sequence[Any] | None, limit_s: float) -> Row | None:
        limit_s = min(limit_s, deadline.remaining())
        waiter = self._waiter = self._loop.create_future()
        timer = self._loop.call_later(limit_s, self._give_up, limit_s)
        try:
            cursor = self._driver.cursor()
            cursor.execute(statement, parameters)
            self._advance()
            await waiter
            return cursor.fetchone() if cursor.description else None
        except asyncio.CancelledError:
            # The response is still to come and must not become that of the next statement.
            self.close()
            raise
        finally:
            timer.cancel()
            self._waiter = None
            self._idle_since = monotonic()

    def _advance(self) -> None:
        """Let libpq send and receive; the loop calls it whenever the socket is ready."""
        waiter = self._waiter
        if waiter is None or waiter.done():
            # Readable while idle: the server has closed it.
            self.close()
            return
        try:
            state = self._driver.poll()
        except psycopg2.Error as error:
            if self.closed:
                self.close()
            waiter.set_exception(error)
            return
        if state == POLL_OK:
            waiter.set_result(None)
        elif state == POLL_WRITE and not self._writing:
            self._writing = True
            self._loop.add_writer(self._socket, self._advance)
        elif state == POLL_READ and self._writing:
            self._writing = False
            self._loop.remove_writer(self._socket)

    def _give_up(self, limit_s: float) -> None:
        if self._waiter is not None and not self._waiter.done():
            self.close()
            self._waiter.set_exception(deadline.no_response(limit_s))


def _connect(connect_args: Mapping[str, Any]) -> DriverConnection:
    driver: DriverConnection = psycopg2.connect(async_=True, **connect_args)
    try:
        with deadline.within(CONNECT_S):
            deadline.wait(driver)
    except psycopg2.Error:
        driver.close()
        raise
    return driver
