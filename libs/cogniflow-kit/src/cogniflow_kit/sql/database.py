"""PostgreSQL connections, and one transaction per request that commits before the response is sent."""

import asyncio
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from time import monotonic
from typing import Annotated, Any, TypeVar, cast

import psycopg2
from fastapi import Depends, Request
from sqlalchemy import Connection, Engine, PoolProxiedConnection, Row, TextClause, create_engine
from sqlalchemy.exc import DBAPIError, InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.orm import Session, sessionmaker

from cogniflow_kit.errors import ServiceError, Unavailable
from cogniflow_kit.sql import deadline, reconnect
from cogniflow_kit.sql.json_reader import JsonReader
from cogniflow_kit.sql.prepared import PreparedStatement, raise_translated
from cogniflow_kit.stores import Breaker, Outage

Pooled = TypeVar("Pooled")

_CONNECT_ARGS = {
    "connection_factory": deadline.DeadlineConnection,
    "connect_timeout": 3,
    "tcp_user_timeout": 5000,
    "keepalives_idle": 30,
    "options": "-c timezone=UTC -c statement_timeout=10s -c lock_timeout=5s"
    " -c idle_in_transaction_session_timeout=30s"
    # The server stops a statement, and frees its locks, soon after a deadline closed the connection.
    " -c client_connection_check_interval=1s",
}
_READERS = 4
_POOL_WAIT_S = 3.0
_POOL_SLICE_S = 0.1
_CHECK_S = 3.0


class Database:
    """A service's PostgreSQL pool. Every wait has a time limit; `deadline.within` sets shorter ones."""

    name = "postgresql"
    outage: Outage = (OperationalError, InterfaceError, PoolTimeout)

    def __init__(self, url: str, *, application: str, pool_size: int = 5) -> None:
        deadline.install()
        self._connect_args = {**_CONNECT_ARGS, "application_name": application}
        self.engine = create_engine(
            url,
            pool_size=pool_size,
            max_overflow=5,
            pool_timeout=_POOL_SLICE_S,
            pool_recycle=1800,
            hide_parameters=True,
            connect_args=self._connect_args,
        )
        reconnect.install(self.engine)
        self._readers: dict[asyncio.AbstractEventLoop, JsonReader] = {}
        self._sessions = sessionmaker(self.engine, expire_on_commit=False)
        self._breaker = Breaker(self.name, lambda _, error: _is_lost(error))

    @contextmanager
    def transaction(self) -> Iterator[Session]:
        """A session; commits at the end of the block, rolls back when the block raises."""
        with self._guard():
            connection = _connect(self.engine)
        with connection, self._sessions(bind=connection) as db, db.begin():
            yield db

    def run(self, statement: TextClause, parameters: Mapping[str, Any] | None = None) -> Row[Any] | None:
        """Run one statement in autocommit mode; its first row, None without one.

        Takes one round trip; a transaction takes two more, for BEGIN and COMMIT.
        """
        with self._autocommitted() as connection:
            result = connection.execute(statement, parameters)
            return result.first() if result.returns_rows else None

    def run_prepared(self, statement: PreparedStatement, values: Mapping[str, Any]) -> Any:
        """Like `run`, for a hot path: the first column of the first row, None without a row.

        PostgreSQL has planned the statement already, and there are no
        SQLAlchemy connection, statement and result objects.
        """
        with self._guard(), self._pooled() as connection:
            try:
                return statement.run(connection, values)
            except psycopg2.Error as error:
                lost = self.engine.dialect.is_disconnect(cast(Any, error), connection, None)
                if lost:
                    connection.invalidate(error)
                raise_translated(error, self.engine.dialect, statement=statement.sql, connection_lost=lost)

    async def read_json(self, statement: PreparedStatement, values: Mapping[str, Any]) -> bytes | None:
        """Like `run_prepared`, for one column of JSON text, which is returned as UTF-8.

        For handlers that are `async def`: on the event loop, without a thread.
        """
        with self._guard():
            return await self._reader().read(statement, values)

    def check(self) -> None:
        with deadline.within(_CHECK_S), self._pooled() as connection:
            connection.cursor().execute("SELECT 1")

    def close(self) -> None:
        for reader in self._readers.values():
            reader.close()
        self.engine.dispose()

    def _reader(self) -> JsonReader:
        loop = asyncio.get_running_loop()
        if loop not in self._readers:
            _, connect_args = self.engine.dialect.create_connect_args(self.engine.url)
            self._readers[loop] = JsonReader(
                self.engine.dialect, {**connect_args, **self._connect_args}, _READERS
            )
        return self._readers[loop]

    @contextmanager
    def _autocommitted(self) -> Iterator[Connection]:
        with self._guard(), _connect(self.engine) as connection, _autocommit(connection.connection):
            yield connection

    @contextmanager
    def _pooled(self) -> Iterator[PoolProxiedConnection]:
        """The driver's connection, without a transaction."""
        try:
            connection = _checkout(self.engine.raw_connection)
        except psycopg2.Error as error:
            raise_translated(error, self.engine.dialect, statement=None)
        try:
            with _autocommit(connection):
                yield connection
        finally:
            connection.close()

    @contextmanager
    def _guard(self) -> Iterator[None]:
        # Before the breaker: a deadline spent elsewhere is no outage of PostgreSQL.
        if deadline.remaining() <= 0:
            raise Unavailable("The time for this request has passed; try again shortly.", retry_after_s=2)
        with self._breaker.guard():
            yield


def _connect(engine: Engine) -> Connection:
    return _checkout(engine.connect)


def _checkout(connect: Callable[[], Pooled]) -> Pooled:
    """Wait for a free connection in short steps, since the pool's own timeout ignores the deadline."""
    until = monotonic() + min(_POOL_WAIT_S, deadline.remaining())
    while True:
        try:
            return connect()
        except PoolTimeout:
            if monotonic() >= until:
                raise


@contextmanager
def _autocommit(connection: PoolProxiedConnection) -> Iterator[None]:
    """Set autocommit on the driver; SQLAlchemy's isolation level would send a SET statement."""
    driver = cast(deadline.DeadlineConnection, connection.driver_connection)
    driver.autocommit = True
    try:
        yield
    finally:
        if not driver.closed:
            driver.autocommit = False


def is_away(error: Exception) -> bool:
    """Whether the error means that PostgreSQL is unavailable, also when the open breaker says so."""
    return isinstance(error, Unavailable) or _is_lost(error)


def _is_lost(error: Exception) -> bool:
    """Whether connecting failed or the connection broke; a statement timeout is no outage."""
    if isinstance(error, DBAPIError):
        refused = isinstance(error, OperationalError) and error.statement is None
        return refused or error.connection_invalidated
    return isinstance(error, PoolTimeout)


async def get_database(request: Request) -> Database:
    database: Database = request.app.state.database
    return database


CurrentDatabase = Annotated[Database, Depends(get_database)]


@contextmanager
def committing(database: Database) -> Iterator[Session]:
    """A transaction that also commits when a ServiceError whose `keeps_changes` is set ends the block."""
    refusal: ServiceError | None = None
    with database.transaction() as db:
        try:
            yield db
        except ServiceError as error:
            if not error.keeps_changes:
                raise
            refusal = error
    if refusal is not None:
        raise refusal


def get_session(request: Request) -> Iterator[Session]:
    with committing(request.app.state.database) as db:
        yield db


# With FastAPI's default scope the transaction would end after the response: the client would get 201
# even when the commit fails.
DatabaseSession = Annotated[Session, Depends(get_session, scope="function")]
