"""Clean stores for each test."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from pymongo import MongoClient
from redis import Redis
from sqlalchemy import Connection, MetaData, PoolProxiedConnection, create_engine, text
from sqlalchemy.orm import Session, sessionmaker

from cogniflow_kit.settings import ServiceSettings
from cogniflow_kit.sql.database import Database
from cogniflow_kit.sql.migrations import SEARCH_PATH, own_names
from cogniflow_kit.sql.prepared import PreparedStatement


class _SavepointDatabase(Database):
    """Runs transactions as savepoints of one outer transaction (as the tests of pypi/warehouse do)."""

    def __init__(self, settings: ServiceSettings) -> None:
        super().__init__(settings.database_url.get_secret_value(), application="tests")
        self.outer: Connection = self.engine.connect()
        self._transaction = self.outer.begin()
        self._savepoints = sessionmaker(
            self.outer, join_transaction_mode="create_savepoint", expire_on_commit=False
        )

    @contextmanager
    def transaction(self) -> Iterator[Session]:
        with self._savepoints.begin() as session:
            yield session

    @contextmanager
    def _autocommitted(self) -> Iterator[Connection]:
        with self.outer.begin_nested():
            yield self.outer

    async def read_json(self, statement: PreparedStatement, values: Mapping[str, Any]) -> bytes | None:
        found = self.run_prepared(statement, values)
        return None if found is None else str(found).encode()

    @contextmanager
    def _pooled(self) -> Iterator[PoolProxiedConnection]:
        with self.outer.begin_nested():
            yield self.outer.connection

    def undo(self) -> None:
        self._transaction.rollback()
        self.outer.close()
        self.engine.dispose()


@contextmanager
def savepoint_database(settings: ServiceSettings) -> Iterator[Database]:
    """For single-threaded tests: all changes are rolled back at the end of the block."""
    database = _SavepointDatabase(settings)
    try:
        yield database
    finally:
        database.undo()


@contextmanager
def committed_database(settings: ServiceSettings) -> Iterator[Database]:
    """For tests of concurrency and crashes: commits are real, and all tables are emptied at the end."""
    database = Database(settings.database_url.get_secret_value(), application="tests", pool_size=15)
    try:
        yield database
    finally:
        _truncate(database, settings.schema_name)
        database.close()


def _truncate(database: Database, schema: str) -> None:
    find = text(
        "SELECT string_agg(format('%I.%I', schemaname, tablename), ', ') FROM pg_tables"
        " WHERE schemaname = :schema AND tablename <> 'alembic_version'"
    )
    guarded = text(  # bit 32 of tgtype: TRUNCATE
        "SELECT DISTINCT tgrelid::regclass::text FROM pg_trigger JOIN pg_class ON pg_class.oid = tgrelid"
        " WHERE relnamespace = CAST(:schema AS regnamespace) AND NOT tgisinternal AND tgtype & 32 > 0"
    )
    with database.transaction() as session:
        tables = session.scalar(find, {"schema": schema})
        # Append-only tables have triggers that refuse TRUNCATE.
        guards = list(session.scalars(guarded, {"schema": schema}))
        for table in guards:
            session.execute(text(f"ALTER TABLE {table} DISABLE TRIGGER USER"))
        session.execute(text(f"TRUNCATE {tables} CASCADE"))
        for table in guards:
            session.execute(text(f"ALTER TABLE {table} ENABLE TRIGGER USER"))


@contextmanager
def clean_mongo(mongo_url: str) -> Iterator[None]:
    """Empty all collections at the end of the block; indexes stay."""
    yield
    with MongoClient[dict[str, Any]](mongo_url) as client:
        database = client.get_default_database()
        for name in database.list_collection_names():
            database[name].delete_many({})


@contextmanager
def clean_redis(redis_url: str, prefix: str) -> Iterator[None]:
    """Delete the service's keys at the end of the block."""
    yield
    with Redis.from_url(redis_url) as client:
        for key in client.scan_iter(match=f"{prefix}:*", count=1000):
            client.delete(key)


def schema_drift(settings: ServiceSettings, metadata: MetaData) -> list[Any]:
    """Differences that Alembic finds between the migrated schema and the tables in the code."""

    url = settings.database_url.get_secret_value()
    # With the schema on the search path, Alembic treats it as the default one and compares nothing.
    engine = create_engine(url, connect_args={"options": SEARCH_PATH})
    with engine.connect() as connection:
        options = {
            "include_schemas": True,
            "include_name": own_names(metadata),
            "version_table_schema": metadata.schema,
            "compare_type": True,
        }
        found: list[Any] = compare_metadata(MigrationContext.configure(connection, opts=options), metadata)
    engine.dispose()
    return found
