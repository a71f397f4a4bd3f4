"""JSON that PostgreSQL builds: one round trip, the bytes that Pydantic would write, errors as usual."""

import asyncio
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from math import inf
from typing import Any
from uuid import UUID

import pytest
from pydantic import BaseModel
from sqlalchemy import text
from sqlalchemy.exc import DataError, OperationalError, ProgrammingError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from cogniflow_dev.testing.databases import savepoint_database
from cogniflow_dev.testing.round_trips import count_round_trips
from cogniflow_kit.errors import Unavailable
from cogniflow_kit.sql import deadline, json_reader
from cogniflow_kit.sql.database import Database, is_away
from cogniflow_kit.sql.deadline import within
from cogniflow_kit.sql.prepared import PreparedStatement, json_time

ID = UUID("018f0000-0000-7000-8000-000000000000")
ECHO = PreparedStatement(
    "SELECT row_to_json(r)::text FROM (SELECT CAST(:id AS uuid) AS id, CAST(:name AS text) AS name,"
    f" {json_time('CAST(:at AS timestamptz)')} AS at) r"
)
NAME = PreparedStatement(
    "SELECT to_json(name)::text FROM things WHERE name LIKE :prefix || '%' ORDER BY name"
)
HALF_A_SECOND = PreparedStatement("SELECT pg_sleep(0.5)::text")
BACKEND = PreparedStatement("SELECT pg_backend_pid()::text")
ADD = text("INSERT INTO things (id, name) VALUES (gen_random_uuid(), :name)")


@pytest.fixture
def runner() -> Iterator[asyncio.Runner]:
    """An event loop like that of the server: one for as long as its connections live."""
    with asyncio.Runner() as runner:
        yield runner


class Reader:
    """Calls `read_json` from outside the loop."""

    def __init__(self, runner: asyncio.Runner, database: Database) -> None:
        self._runner = runner
        self._database = database

    def __call__(self, query: PreparedStatement, within_s: float = inf, **values: object) -> bytes | None:
        return self._runner.run(self._read(query, values, within_s))

    def at_once(self, count: int, query: PreparedStatement, within_s: float = inf) -> list[Any]:
        async def gather() -> list[Any]:
            reads = [self._read(query, {}, within_s) for _ in range(count)]
            return await asyncio.gather(*reads, return_exceptions=True)

        return self._runner.run(gather())

    def pause(self, seconds: float = 0.05) -> None:
        self._runner.run(asyncio.sleep(seconds))

    async def _read(
        self, query: PreparedStatement, values: dict[str, object], within_s: float
    ) -> bytes | None:
        with within(within_s):
            return await self._database.read_json(query, values)


@pytest.fixture
def read(runner, database) -> Reader:
    return Reader(runner, database)


class Echo(BaseModel):
    id: UUID
    name: str | None
    at: datetime | None


@pytest.mark.parametrize(
    "name", ["maja", 'say "hi" \\ / \n\t\b\f\r\x01\x7f', "Šárka 🎓", "100 %s %(x)s", "", None]
)
@pytest.mark.parametrize("at", ["2026-01-02T03:04:05Z", "2026-01-02T03:04:05.000600+02:00", None])
def test_the_bytes_are_those_that_pydantic_writes(read, name, at):
    model = Echo(id=ID, name=name, at=at and datetime.fromisoformat(at).astimezone(UTC))
    assert read(ECHO, id=str(ID), name=name, at=at) == model.model_dump_json().encode()


def test_without_a_row_there_is_nothing(read):
    assert read(NAME, prefix="a") is None


def test_the_first_row_counts_and_a_percent_sign_is_the_querys_own(read, database):
    for name in ("ab", "aa", "b"):
        database.run(ADD, {"name": name})
    assert read(NAME, prefix="a") == b'"aa"'


def test_much_data_goes_through_both_ways(read):
    much = "x" * 20_000_000
    assert (
        read(PreparedStatement("SELECT to_json(CAST(:much AS text))::text"), much=much)
        == f'"{much}"'.encode()
    )


def test_it_takes_one_round_trip_once_it_is_prepared(runner, database, stores):
    with count_round_trips(stores.ports.postgres) as wire:
        url = database.engine.url.set(port=wire.port).render_as_string(hide_password=False)
        watched = Database(url, application="tests")
        read = Reader(runner, watched)
        read(BACKEND)
        for expected in (2, 1, 1):
            wire.round_trips = 0
            read(NAME, prefix="a")
            assert wire.round_trips == expected
        watched.close()
        read.pause()


def test_connections_are_few_and_used_again(read):
    backends = read.at_once(50, BACKEND)
    assert 1 <= len(set(backends)) <= 4
    assert read(BACKEND) in backends


def test_a_connection_that_died_is_replaced_and_prepared_anew(read, database):
    before = read(BACKEND)
    terminate = text("SELECT pg_terminate_backend(CAST(:pid AS int), 5000)")
    database.run(terminate, {"pid": before.decode()})
    assert read(BACKEND) not in (before, None)


def test_a_connection_that_went_silently_is_asked_before_it_is_used(monkeypatch, own_server, fragile, runner):
    read = Reader(runner, fragile)
    before = read(BACKEND)
    monkeypatch.setattr(json_reader, "IDLE_S", 0.0)
    monkeypatch.setattr(json_reader, "PING_S", 0.3)
    own_server.freeze()
    with pytest.raises(OperationalError, match="did not answer"):
        read(BACKEND, within_s=1)
    own_server.thaw()
    assert read(BACKEND) not in (before, None)


def test_a_query_that_fails_leaves_its_connection_usable(read, database):
    before = read(BACKEND)
    for _ in range(5):
        with pytest.raises(DataError):
            read(ECHO, id="no id", name="a", at=None)
        with pytest.raises(ProgrammingError, match="no_such_table"):
            read(PreparedStatement("SELECT * FROM no_such_table"))
    database.run(ADD, {"name": "a"})
    assert read(NAME, prefix="a") == b'"a"'
    assert read(BACKEND) == before


def test_frozen_nobody_waits_for_ever(own_server, fragile, runner, monkeypatch):
    monkeypatch.setattr(deadline, "RESPONSE_TIMEOUT_S", 0.5)
    read = Reader(runner, fragile)
    before = read(BACKEND)
    own_server.freeze()
    started = time.monotonic()
    with pytest.raises(OperationalError, match="did not answer") as lost:
        read(BACKEND)
    assert 0.4 < time.monotonic() - started < 3
    assert lost.value.connection_invalidated
    own_server.thaw()
    assert read(BACKEND) not in (before, None)


def test_frozen_a_deadline_holds_also_for_a_new_connection(own_server, fragile, runner):
    read = Reader(runner, fragile)
    own_server.freeze()
    started = time.monotonic()
    with pytest.raises(OperationalError, match="did not answer"):
        read(BACKEND, within_s=0.5)
    assert 0.4 < time.monotonic() - started < 3


def test_past_the_deadline_nothing_is_begun(read):
    with pytest.raises(Unavailable):
        read(BACKEND, within_s=0)


def test_with_every_connection_in_use_a_reader_waits_no_longer_than_its_deadline(read, runner, database):
    async def refuse_the_fifth() -> None:
        busy = [asyncio.create_task(database.read_json(HALF_A_SECOND, {})) for _ in range(4)]
        await asyncio.sleep(0.1)
        with within(0.1), pytest.raises(PoolTimeout):
            await database.read_json(BACKEND, {})
        await asyncio.gather(*busy)

    runner.run(refuse_the_fifth())
    assert read(BACKEND) is not None


def test_a_reader_that_is_canceled_leaves_its_answer_to_nobody(read, runner, database):
    before = read(BACKEND)

    async def give_up() -> None:
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(
                database.read_json(PreparedStatement("SELECT pg_sleep(0.3)::text"), {}), 0.05
            )

    runner.run(give_up())
    read.pause(0.7)
    assert read(BACKEND) not in (before, b"")


def test_with_postgresql_away_callers_are_refused_and_soon_fast(runner):
    away = Database("postgresql+psycopg2://nobody@127.0.0.1:9/nothing", application="tests")
    read = Reader(runner, away)
    for _ in range(3):
        with pytest.raises(OperationalError) as refused:
            read(BACKEND)
        assert is_away(refused.value)
    with pytest.raises(Unavailable):
        read(BACKEND)


def test_a_query_that_fails_or_is_slow_opens_no_circuit(read):
    for _ in range(5):
        with pytest.raises(DataError):
            read(ECHO, id="no id", name="a", at=None)
    assert read(BACKEND) is not None


def test_in_tests_it_reads_what_the_test_wrote(settings, read, runner):
    with savepoint_database(settings) as undone:
        read_undone = Reader(runner, undone)
        undone.run(ADD, {"name": "a"})
        with pytest.raises(DataError):
            read_undone(ECHO, id="no id", name="a", at=None)
        assert read_undone(NAME, prefix="a") == b'"a"'
    assert read(NAME, prefix="a") is None
