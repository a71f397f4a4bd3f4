"""JSON that PostgreSQL builds: one round trip, the bytes that Pydantic would write, errors as usual."""

from datetime import UTC, datetime
from uuid import UUID

import pytest
from pydantic import BaseModel
from sqlalchemy import text
from sqlalchemy.exc import DataError, OperationalError, ProgrammingError

from cogniflow_dev.testing.databases import savepoint_database
from cogniflow_dev.testing.round_trips import count_round_trips
from cogniflow_kit.sql.database import Database
from cogniflow_kit.sql.deadline import within
from cogniflow_kit.sql.json_query import JsonQuery, json_time

ID = UUID("018f0000-0000-7000-8000-000000000000")
ECHO = JsonQuery(
    "SELECT row_to_json(r)::text FROM (SELECT CAST($1 AS uuid) AS id, CAST($2 AS text) AS name,"
    f" {json_time('CAST($3 AS timestamptz)')} AS at) r"
)
NAME = JsonQuery("SELECT to_json(name)::text FROM things WHERE name LIKE $1 || '%' ORDER BY name")
SLOW = JsonQuery("SELECT pg_sleep(20)::text")
ADD = text("INSERT INTO things (id, name) VALUES (gen_random_uuid(), :name)")


class Echo(BaseModel):
    id: UUID
    name: str | None
    at: datetime | None


@pytest.mark.parametrize(
    "name", ["maja", 'say "hi" \\ / \n\t\b\f\r\x01\x7f', "Šárka 🎓", "100 %s %(x)s", "", None]
)
@pytest.mark.parametrize("at", ["2026-01-02T03:04:05Z", "2026-01-02T03:04:05.000600+02:00", None])
def test_the_bytes_are_those_that_pydantic_writes(database, name, at):
    model = Echo(id=ID, name=name, at=at and datetime.fromisoformat(at).astimezone(UTC))
    assert database.read_json(ECHO, str(ID), name, at) == model.model_dump_json().encode()


def test_without_a_row_there_is_nothing(database):
    assert database.read_json(NAME, "a") is None


def test_the_first_row_counts_and_a_percent_sign_is_the_querys_own(database):
    for name in ("ab", "aa", "b"):
        database.run(ADD, {"name": name})
    assert database.read_json(NAME, "a") == b'"aa"'


def test_it_takes_one_round_trip_once_it_is_prepared(database, stores):
    with count_round_trips(stores.ports.postgres) as wire:
        url = database.engine.url.set(port=wire.port).render_as_string(hide_password=False)
        watched = Database(url, application="tests", pool_size=1)
        watched.check()
        for expected in (2, 1, 1):
            wire.round_trips = 0
            watched.read_json(NAME, "a")
            assert wire.round_trips == expected
        watched.close()


def test_a_connection_that_died_is_replaced_and_prepared_anew(settings, database):
    single = Database(settings.database_url.get_secret_value(), application="tests", pool_size=1)
    single.read_json(NAME, "a")
    [backend] = single.run(text("SELECT pg_backend_pid()"))
    database.run(text("SELECT pg_terminate_backend(:pid, 5000)"), {"pid": backend})
    assert single.read_json(NAME, "a") is None
    single.close()


def test_a_query_that_fails_leaves_its_connection_usable(settings, database):
    single = Database(settings.database_url.get_secret_value(), application="tests", pool_size=1)
    for _ in range(5):
        with pytest.raises(DataError):
            single.read_json(ECHO, "no id", "a", None)
        with pytest.raises(ProgrammingError, match="no_such_table"):
            single.read_json(JsonQuery("SELECT * FROM no_such_table"))
    single.run(ADD, {"name": "a"})
    assert single.read_json(NAME, "a") == b'"a"'
    single.close()


def test_frozen_a_reader_gives_up_in_time(own_server, fragile):
    fragile.check()
    own_server.freeze()
    with within(0.5), pytest.raises(OperationalError, match="did not answer") as lost:
        fragile.read_json(SLOW)
    assert lost.value.connection_invalidated
    own_server.thaw()
    with within(0.3), pytest.raises(OperationalError, match="did not answer"):
        fragile.read_json(SLOW)
    assert fragile.run(text("SELECT 1")) == (1,)
    assert fragile.engine.pool.checkedout() == 0


def test_in_tests_it_reads_what_the_test_wrote(settings, database):
    with savepoint_database(settings) as undone:
        undone.run(ADD, {"name": "a"})
        with pytest.raises(DataError):
            undone.read_json(ECHO, "no id", "a", None)
        assert undone.read_json(NAME, "a") == b'"a"'
    assert database.read_json(NAME, "a") is None
