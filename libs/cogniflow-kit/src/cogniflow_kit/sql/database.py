"""Connections and transactions: one a request, committed before the answer goes out."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated

from fastapi import Depends, Request
from sqlalchemy import create_engine, text
from sqlalchemy.exc import InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.orm import Session, sessionmaker

from cogniflow_kit.errors import ServiceError
from cogniflow_kit.stores import Breaker, Outage

_CONNECT_ARGS = {
    "connect_timeout": 3,
    "tcp_user_timeout": 5000,
    "keepalives_idle": 30,
    "options": "-c timezone=UTC -c statement_timeout=10s -c lock_timeout=5s"
    " -c idle_in_transaction_session_timeout=30s",
}


class Database:
    """A service's PostgreSQL pool. Every connection has time limits; none waits for ever."""

    name = "postgresql"
    outage: Outage = (OperationalError, InterfaceError, PoolTimeout)

    def __init__(self, url: str, *, application: str, pool_size: int = 5) -> None:
        self.engine = create_engine(
            url,
            pool_size=pool_size,
            max_overflow=5,
            pool_timeout=3,
            pool_pre_ping=True,
            pool_recycle=1800,
            hide_parameters=True,
            connect_args={**_CONNECT_ARGS, "application_name": application},
        )
        self._sessions = sessionmaker(self.engine, expire_on_commit=False)
        self._breaker = Breaker(self.name, self.outage)

    @contextmanager
    def transaction(self) -> Iterator[Session]:
        """A session that commits when the block ends and rolls back when it raises."""
        with self._sessions.begin() as session:
            with self._breaker.guard():
                session.connection()
            yield session

    def check(self) -> None:
        with self.engine.connect() as connection:
            connection.execute(text("SELECT 1"))

    def close(self) -> None:
        self.engine.dispose()


def get_session(request: Request) -> Iterator[Session]:
    database: Database = request.app.state.database
    refusal: ServiceError | None = None
    with database.transaction() as session:
        try:
            yield session
        except ServiceError as error:
            if not error.keeps_changes:
                raise
            refusal = error
    if refusal is not None:
        raise refusal


# With FastAPI's default scope the transaction would end after the response:
# the caller would read 201 even when the commit fails.
DatabaseSession = Annotated[Session, Depends(get_session, scope="function")]
