"""Prepared statements: the same guarantees as `Database.run`, without its objects."""

from uuid import uuid4

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DataError, IntegrityError, OperationalError

from cogniflow_dev.testing.databases import savepoint_database
from cogniflow_dev.testing.round_trips import count_round_trips
from cogniflow_kit.sql.database import Database
from cogniflow_kit.sql.deadline import within
from cogniflow_kit.sql.prepared import PreparedStatement

ADD = PreparedStatement(
    "INSERT INTO things (id, name) SELECT :id, :name WHERE CAST(:name AS text) <> '' RETURNING name"
)
SLOW = PreparedStatement("SELECT pg_sleep(:seconds)")


def added(database: Database, name: str):
    return database.run_prepared(ADD, {"id": uuid4(), "name": name, "unused": None})


def names(database: Database) -> list[str]:
    with database.transaction() as db:
        return list(db.scalars(text("SELECT name FROM things ORDER BY name")))


def test_it_writes_and_returns_the_first_column_of_the_first_row(database):
    words = "100 %s %(x)s :name 'quoted' \\ Šárka 🎓"
    assert added(database, words) == words
    assert added(database, "") is None
    assert names(database) == [words]


def test_it_takes_one_round_trip_once_it_is_prepared(database, stores):
    with count_round_trips(stores.ports.postgres) as wire:
        url = database.engine.url.set(port=wire.port).render_as_string(hide_password=False)
        watched = Database(url, application="tests", pool_size=1)
        watched.check()
        for name, expected in (("a", 2), ("b", 1), ("c", 1)):
            wire.round_trips = 0
            added(watched, name)
            assert wire.round_trips == expected
        watched.close()


def test_a_connection_that_died_is_replaced_and_prepared_anew(settings, database):
    single = Database(settings.database_url.get_secret_value(), application="tests", pool_size=1)
    added(single, "a")
    [backend] = single.run(text("SELECT pg_backend_pid()"))
    database.run(text("SELECT pg_terminate_backend(:pid, 5000)"), {"pid": backend})
    assert added(single, "b") == "b"
    single.close()


def test_a_statement_that_fails_leaves_its_connection_usable(settings, database):
    single = Database(settings.database_url.get_secret_value(), application="tests", pool_size=1)
    taken = uuid4()
    single.run_prepared(ADD, {"id": taken, "name": "a"})
    with pytest.raises(IntegrityError):
        single.run_prepared(ADD, {"id": taken, "name": "again"})
    with pytest.raises(DataError):
        single.run_prepared(ADD, {"id": "no id", "name": "a"})
    assert added(single, "b") == "b"
    single.close()


def test_frozen_a_writer_gives_up_in_time(own_server, fragile):
    fragile.check()
    own_server.freeze()
    with within(0.5), pytest.raises(OperationalError, match="did not answer") as lost:
        fragile.run_prepared(SLOW, {"seconds": 20})
    assert lost.value.connection_invalidated
    own_server.thaw()
    assert fragile.run_prepared(SLOW, {"seconds": 0}) == ""
    assert fragile.engine.pool.checkedout() == 0


def test_in_tests_it_is_undone(settings, database):
    with savepoint_database(settings) as undone:
        assert added(undone, "a") == "a"
        with pytest.raises(DataError):
            undone.run_prepared(ADD, {"id": "no id", "name": "b"})
        assert names(undone) == ["a"]
    assert names(database) == []
