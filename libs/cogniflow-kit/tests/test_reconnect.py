"""PostgreSQL killed or restarted: told at once, and the next request finds it again."""

import time
from collections.abc import Iterator

import pytest
from sqlalchemy import text
from sqlalchemy.exc import OperationalError

from cogniflow_dev.testing.round_trips import RoundTripProxy, count_round_trips
from cogniflow_kit.sql import reconnect
from cogniflow_kit.sql.database import Database

BACKEND = text("SELECT pg_backend_pid()")
ADD = text("INSERT INTO kept (name) VALUES (:name)")
NAMES = text("SELECT array_agg(name ORDER BY name) FROM kept")


@pytest.fixture
def wire(own_server) -> Iterator[RoundTripProxy]:
    with count_round_trips(own_server.stores.ports.postgres) as wire:
        yield wire


@pytest.fixture
def watched(own_server, wire, fragile) -> Iterator[Database]:
    """A pool of one connection, whose round trips are counted."""
    url = own_server.url("chat").replace(f":{own_server.stores.ports.postgres}/", f":{wire.port}/")
    database = Database(url, application="tests", pool_size=1)
    yield database
    database.close()


def add_in_transaction(database: Database, name: str, meanwhile=lambda: None) -> None:
    with database.transaction() as session:
        session.execute(BACKEND)
        meanwhile()
        session.execute(ADD, {"name": name})


def add_in_one(database: Database, name: str) -> None:
    database.run(ADD, {"name": name})


def backend(database: Database) -> int:
    return database.run(BACKEND)[0]


def names(database: Database) -> list[str]:
    return database.run(NAMES)[0] or []


WAYS = pytest.mark.parametrize("add", [add_in_transaction, add_in_one], ids=["transaction", "run"])


@WAYS
def test_killed_it_is_told_at_once_and_restarted_the_first_request_succeeds(own_server, fragile, add):
    add(fragile, "a")
    own_server.kill()
    started = time.monotonic()
    with pytest.raises(OperationalError):
        add(fragile, "b")
    assert time.monotonic() - started < 3
    own_server.start()
    add(fragile, "c")
    assert names(fragile) == ["a", "c"]


@WAYS
def test_restarted_between_two_requests_neither_notices(own_server, fragile, add):
    add(fragile, "a")
    before = backend(fragile)
    own_server.stop()
    own_server.start()
    add(fragile, "b")
    assert names(fragile) == ["a", "b"]
    assert backend(fragile) != before


def test_killed_in_the_middle_of_a_transaction_nothing_of_it_is_left(own_server, fragile):
    with pytest.raises(OperationalError):
        add_in_transaction(fragile, "a", meanwhile=own_server.kill)
    own_server.start()
    assert names(fragile) == []


def test_a_busy_connection_is_not_asked_whether_it_lives(watched, wire):
    watched.run(BACKEND)
    wire.round_trips = 0
    for _ in range(5):
        watched.run(BACKEND)
    assert wire.round_trips == 5


def test_after_a_quiet_time_it_is_asked_once(watched, wire, monkeypatch):
    watched.run(BACKEND)
    monkeypatch.setattr(reconnect, "IDLE_S", 0.0)
    wire.round_trips = 0
    watched.run(BACKEND)
    assert wire.round_trips == 2


def test_one_that_gives_no_answer_then_is_replaced(own_server, fragile, monkeypatch):
    """As when a firewall forgot it: nothing on the socket tells, only asking does."""
    monkeypatch.setattr(reconnect, "IDLE_S", 0.0)
    monkeypatch.setattr(reconnect, "PING_S", 0.3)
    before = backend(fragile)
    own_server.freeze_backend(before)
    assert backend(fragile) != before
