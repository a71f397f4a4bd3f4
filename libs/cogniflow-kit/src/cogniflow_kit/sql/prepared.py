"""Statements of a hot path: prepared once per connection and run without SQLAlchemy's statement objects.

A statement of many parts takes PostgreSQL longer to plan than to execute.
"""

import hashlib
import re
from collections.abc import Mapping
from typing import Any, NoReturn, cast
from uuid import UUID

import psycopg2
from psycopg2.extensions import connection as DriverConnection  # noqa: N812 -- a class, named in lower case
from sqlalchemy import Dialect, PoolProxiedConnection
from sqlalchemy.exc import DBAPIError

_NAMED = re.compile(r"(?<!:):([a-z_]+)")
_PREPARED = "prepared_statements"


class PreparedStatement:
    """SQL with `:name` parameters, for `Database.run_prepared` and `Database.read_json`.

    PostgreSQL must be able to infer one type for each parameter; where two
    places suggest different ones, use CAST(:name AS …).
    """

    def __init__(self, sql: str) -> None:
        self.sql = sql
        self.names = list(dict.fromkeys(_NAMED.findall(sql)))
        # Of the text itself, so that no two statements ever share a name.
        self.name = f"statement_{hashlib.sha256(sql.encode()).hexdigest()[:32]}"
        positional = _NAMED.sub(lambda found: f"${self.names.index(found[1]) + 1}", sql)
        self.prepare = f"PREPARE {self.name} AS {positional}"
        arguments = f"({', '.join(['%s'] * len(self.names))})" if self.names else ""
        self.execute = f"EXECUTE {self.name}{arguments}"

    def arguments(self, values: Mapping[str, Any]) -> list[Any]:
        """Values in the order in which EXECUTE takes them; others are ignored.

        UUIDs become text, which the type of the parameter turns back: psycopg2's adapter for them is slow.
        """
        ordered = [values[name] for name in self.names]
        return [str(value) if isinstance(value, UUID) else value for value in ordered]

    def run(self, connection: PoolProxiedConnection, values: Mapping[str, Any]) -> Any:
        """The first column of the first row, None without a row. Raises: psycopg2.Error."""
        prepared: set[str] = connection.info.setdefault(_PREPARED, set())
        with cast(DriverConnection, connection.driver_connection).cursor() as cursor:
            if self.name not in prepared:
                cursor.execute(self.prepare)
                prepared.add(self.name)
            cursor.execute(self.execute, self.arguments(values))
            row = cursor.fetchone()
        return None if row is None else row[0]


def json_time(column: str) -> str:
    """SQL that writes a `timestamptz` as Pydantic does: UTC with `Z`, microseconds unless they are zero."""
    written = f"to_char({column} AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS.US\"Z\"')"
    return f"replace({written}, '.000000Z', 'Z')"


def raise_translated(
    error: psycopg2.Error, dialect: Dialect, *, statement: str | None, connection_lost: bool = False
) -> NoReturn:
    """Raise SQLAlchemy's error for the driver's. `statement` is None where connecting failed."""
    raise DBAPIError.instance(
        statement,
        None,
        error,
        psycopg2.Error,
        hide_parameters=True,
        connection_invalidated=connection_lost,
        dialect=dialect,
    ) from error
