"""Runs a service's Alembic migrations; replicas may start at the same time.

The advisory lock and lock timeout follow pypi/warehouse
`warehouse/migrations/env.py`: one replica migrates at a time, and a migration
that doesn't get its table lock in time fails instead of blocking all readers.
"""

from collections.abc import Callable
from pathlib import Path

from alembic import command, context
from alembic.config import Config
from sqlalchemy import MetaData, create_engine, text

# With the service's schema on the search path Alembic would take it for the default schema.
SEARCH_PATH = "-c search_path=pg_catalog,extensions"
_LOCK = text("SELECT pg_advisory_xact_lock(hashtext('cogniflow-migrations'), hashtext(:schema))")


def migrate(database_url: str, script_location: Path, revision: str = "head") -> None:
    """Migrate the service's schema to `revision`; does nothing when it is there already."""
    config = Config()
    config.set_main_option("script_location", str(script_location))
    config.attributes["database_url"] = database_url
    command.upgrade(config, revision)


def own_names(metadata: MetaData) -> Callable[[str | None, str, object], bool]:
    """Filter of what Alembic compares: the service's schema without partitions."""
    partitioned = tuple(
        f"{table.name}_"
        for table in metadata.tables.values()
        if table.dialect_options["postgresql"]["partition_by"]
    )

    def include(name: str | None, kind: str, _: object) -> bool:
        if kind == "schema":
            return name == metadata.schema
        return kind != "table" or name is None or not name.startswith(partitioned)

    return include


def run_env(metadata: MetaData) -> None:
    """The body of every `migrations/env.py`."""
    schema = metadata.schema
    database_url = context.config.attributes.get("database_url") or context.get_x_argument(
        as_dictionary=True
    ).get("database_url")
    if database_url is None:
        raise SystemExit("Pass the database: alembic -x database_url=postgresql+psycopg2://…")
    engine = create_engine(database_url, connect_args={"connect_timeout": 5, "options": SEARCH_PATH})
    with engine.begin() as connection:
        connection.execute(text("SET LOCAL statement_timeout = '60s'"))
        connection.execute(_LOCK, {"schema": schema})
        connection.execute(text("SET LOCAL lock_timeout = '4s'"))
        context.configure(
            connection=connection,
            target_metadata=metadata,
            version_table_schema=schema,
            include_schemas=True,
            include_name=own_names(metadata),
            compare_type=True,
        )
        context.run_migrations()
    engine.dispose()
