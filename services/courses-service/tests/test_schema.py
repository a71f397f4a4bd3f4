"""The migrated schema equals the tables in the code, and every foreign key has an index."""

from sqlalchemy import text

from cogniflow_dev.testing.databases import schema_drift
from courses_service.bootstrap import bootstrap
from courses_service.tables import metadata

WITHOUT_INDEX = text(
    """
    SELECT c.conrelid::regclass::text, c.conname FROM pg_constraint c
    WHERE c.contype = 'f' AND c.connamespace = 'courses'::regnamespace AND NOT EXISTS (
        SELECT 1 FROM pg_index i WHERE i.indrelid = c.conrelid
        AND (i.indkey::int2[])[0:cardinality(c.conkey) - 1] @> c.conkey
    )
    """
)


def test_migrated_schema_equals_the_tables_in_code(settings) -> None:
    assert schema_drift(settings, metadata) == []


def test_every_foreign_key_has_an_index(database) -> None:
    with database.transaction() as db:
        assert db.execute(WITHOUT_INDEX).all() == []


def test_bootstrap_can_be_repeated(settings) -> None:
    bootstrap(settings)
    bootstrap(settings)
