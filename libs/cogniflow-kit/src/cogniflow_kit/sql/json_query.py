"""Queries whose result is JSON text that PostgreSQL builds and that goes out as the response body.

For reads on a hot path: no ORM object, no Pydantic model, no second
serialization. PostgreSQL parses such a query once per connection (PREPARE).
"""

import hashlib
from collections.abc import Sequence
from typing import Any, NoReturn, cast

import psycopg2
from psycopg2.extensions import connection as DriverConnection  # noqa: N812 -- a class, named in lower case
from sqlalchemy import Connection
from sqlalchemy.exc import DBAPIError

_PREPARED = "prepared"


class JsonQuery:
    """A SELECT with one column of JSON text, for `Database.read_json`.

    Parameters are $1, $2, … where PostgreSQL can infer their types, else
    CAST($1 AS …).
    """

    def __init__(self, sql: str) -> None:
        self.sql = sql
        # Of the text itself, so that no two queries ever share a name.
        self.name = f"json_{hashlib.sha256(sql.encode()).hexdigest()[:32]}"


def json_time(column: str) -> str:
    """SQL that writes a `timestamptz` as Pydantic does: UTC with `Z`, microseconds unless they are zero."""
    written = f"to_char({column} AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS.US\"Z\"')"
    return f"replace({written}, '.000000Z', 'Z')"


def fetch_json(connection: Connection, query: JsonQuery, parameters: Sequence[Any]) -> bytes | None:
    """The JSON of the first row as UTF-8, None without a row.

    Raises: sqlalchemy.exc.DBAPIError, as `Connection.execute` does.
    """
    driver = cast(DriverConnection, connection.connection.driver_connection)
    prepared: set[str] = connection.info.setdefault(_PREPARED, set())
    arguments = f"({', '.join(['%s'] * len(parameters))})" if parameters else ""
    try:
        with driver.cursor() as cursor:
            if query.name not in prepared:
                cursor.execute(f"PREPARE {query.name} AS {query.sql}")
                prepared.add(query.name)
            cursor.execute(f"EXECUTE {query.name}{arguments}", parameters)
            row = cursor.fetchone()
    except psycopg2.Error as error:
        _raise_translated(connection, query, error)
    return None if row is None else cast(str, row[0]).encode()


def _raise_translated(connection: Connection, query: JsonQuery, error: psycopg2.Error) -> NoReturn:
    """Raise SQLAlchemy's error for the driver's; a broken connection leaves the pool."""
    lost = connection.dialect.is_disconnect(cast(Any, error), connection.connection, None)
    if lost:
        connection.invalidate(error)
    raise DBAPIError.instance(
        query.sql,
        None,
        error,
        psycopg2.Error,
        hide_parameters=True,
        connection_invalidated=lost,
        dialect=connection.dialect,
    ) from error
