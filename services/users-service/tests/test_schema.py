"""The tables in the code are the tables in the database."""

from cogniflow_dev.testing.databases import schema_drift
from users_service.bootstrap import bootstrap
from users_service.tables import metadata


def test_migrations_create_exactly_the_tables_of_the_code(settings):
    assert schema_drift(settings, metadata) == []


def test_bootstrap_can_be_repeated(settings):
    bootstrap(settings)
    bootstrap(settings)
