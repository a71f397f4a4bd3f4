"""Personal data in PostgreSQL tables; see `cogniflow_kit.personal_data`."""

from collections.abc import Mapping
from typing import Any, cast
from uuid import UUID

from sqlalchemy import CursorResult, MetaData, Table, text

from cogniflow_kit.personal_data import Key
from cogniflow_kit.sql.database import Database


class TablePersonalData:
    """The rows of one table that belong to a user.

    `owner`: SQL condition on a row `t` that is true for the user's rows.
    `hidden`: columns that exports omit, such as hashes. `keep`: SET clause that
    anonymizes rows that must stay; without it erasure deletes the rows.
    """

    def __init__(
        self,
        database: Database,
        table: Table,
        *,
        owner: str = "t.user_id = :user_id",
        hidden: tuple[str, ...] = (),
        keep: str | None = None,
    ) -> None:
        self.store = f"postgresql.{table.name}"
        self._database = database
        # Collation "C" sorts the same on every machine.
        columns = ", ".join(f't.{column.name}::text COLLATE "C"' for column in table.primary_key)
        shown = " - ".join(["to_jsonb(t)", *(f"'{column}'" for column in hidden)])
        self._read = text(
            f"SELECT ARRAY[{columns}] AS key, {shown} AS record FROM {table.fullname} t WHERE ({owner})"  # noqa: S608 -- names and conditions are constants
            f" AND (CAST(:after AS text[]) IS NULL OR ARRAY[{columns}] > CAST(:after AS text[]))"
            " ORDER BY key LIMIT :limit"
        )
        change = f"UPDATE {table.fullname} t SET {keep}" if keep else f"DELETE FROM {table.fullname} t"  # noqa: S608
        self._erase = text(f"{change} WHERE ({owner})")

    def read(self, user_id: UUID, after: Key | None, limit: int) -> list[tuple[Key, Mapping[str, Any]]]:
        with self._database.transaction() as db:
            rows = db.execute(self._read, {"user_id": user_id, "after": after, "limit": limit}).all()
        return [(row.key, row.record) for row in rows]

    def erase(self, user_id: UUID) -> int:
        with self._database.transaction() as db:
            return cast(CursorResult[Any], db.execute(self._erase, {"user_id": user_id})).rowcount


def shared_tables(database: Database, metadata: MetaData) -> list[TablePersonalData]:
    """The tables that every service has: outbox and idempotency keys."""
    schema = metadata.schema
    # A response can be about a user although the request had no login, such as a registration.
    answered = "t.owner_id = :user_id OR t.answer ->> 'id' = CAST(:user_id AS text)"
    return [
        TablePersonalData(
            database,
            metadata.tables[f"{schema}.outbox"],
            owner="t.event ->> 'actor_id' = CAST(:user_id AS text)",
        ),
        TablePersonalData(
            database, metadata.tables[f"{schema}.idempotency_keys"], owner=answered, hidden=("fingerprint",)
        ),
    ]
