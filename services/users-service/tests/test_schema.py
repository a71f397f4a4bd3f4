"""The tables in the code are the tables in the database."""

from cogniflow_dev.testing.databases import schema_drift
from users_service.bootstrap import bootstrap
from users_service.tables import metadata


def test_the_migrations_make_exactly_the_tables(settings):
    assert schema_drift(settings, metadata) == []


def test_preparing_again_changes_nothing(settings):
    bootstrap(settings)
    bootstrap(settings)
