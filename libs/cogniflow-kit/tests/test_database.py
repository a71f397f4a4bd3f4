"""One transaction a request, committed before the answer; outages are told, and soon told fast."""

import time

import pytest
from fastapi import APIRouter
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError, OperationalError

from cogniflow_dev.testing.databases import savepoint_database
from cogniflow_dev.testing.round_trips import count_round_trips
from cogniflow_kit.errors import Conflict, Unavailable
from cogniflow_kit.sql.database import Database, DatabaseSession

router = APIRouter()
ADD = text("INSERT INTO things (id, name) VALUES (gen_random_uuid(), :name)")
COUNT = text("SELECT count(*) FROM things")
NO_POSTGRES = "postgresql+psycopg2://nobody@127.0.0.1:9/nothing"


@router.post("/things/{name}")
def add(name: str, session: DatabaseSession) -> str:
    session.execute(ADD, {"name": name})
    if name == "taken":
        raise Conflict("It is taken.")
    return name


@router.post("/slow")
def slow(session: DatabaseSession) -> None:
    session.execute(text("SET LOCAL statement_timeout = '100ms'"))
    session.execute(text("SELECT pg_sleep(10)"))


@pytest.fixture
def client(make_client, database):
    return make_client(router, stores=(database,))


def count(database: Database) -> int:
    with database.transaction() as session:
        return session.scalar(COUNT)


def test_a_request_commits_as_a_whole_or_not_at_all(client, database):
    assert client.post("/things/a").status_code == 200
    assert count(database) == 1
    assert client.post("/things/taken").status_code == 409
    assert count(database) == 1


def test_a_block_that_raises_leaves_nothing(database):
    def fail() -> None:
        with database.transaction() as session:
            session.execute(ADD, {"name": "a"})
            raise KeyError

    with pytest.raises(KeyError):
        fail()
    assert count(database) == 0


def test_a_statement_that_takes_too_long_is_an_outage(client):
    answer = client.post("/slow")
    assert (answer.status_code, answer.json()["code"]) == (503, "service_unavailable")


def test_every_connection_has_its_limits(database):
    names = ("timezone", "statement_timeout", "lock_timeout", "idle_in_transaction_session_timeout")
    with database.transaction() as session:
        limits = {name: session.scalar(text(f"SHOW {name}")) for name in names}
    assert limits == {
        "timezone": "UTC",
        "statement_timeout": "10s",
        "lock_timeout": "5s",
        "idle_in_transaction_session_timeout": "30s",
    }


def test_a_connection_that_died_is_replaced(database):
    with database.transaction() as session:
        backend = session.scalar(text("SELECT pg_backend_pid()"))
    other = Database(database.engine.url.render_as_string(hide_password=False), application="tests")
    with other.transaction() as session:
        session.execute(text("SELECT pg_terminate_backend(:pid, 5000)"), {"pid": backend})
    other.close()
    assert count(database) == 0


def test_with_postgresql_away_callers_are_refused_and_soon_fast(make_client):
    away = Database(NO_POSTGRES, application="tests")
    client = make_client(router, stores=(away,))
    for _ in range(4):
        answer = client.post("/things/a")
        assert answer.status_code == 503
        assert answer.headers["retry-after"]
        assert "127.0.0.1" not in answer.text
    started = time.monotonic()
    with pytest.raises(Unavailable), away.transaction():
        pass
    assert time.monotonic() - started < 0.1


def test_an_error_inside_the_block_opens_no_circuit(database):
    too_slow = text("SET LOCAL statement_timeout = '1ms'; SELECT pg_sleep(1)")
    for _ in range(5):
        with pytest.raises(OperationalError), database.transaction() as session:
            session.execute(too_slow)
    assert count(database) == 0


def test_a_statement_by_itself_takes_one_round_trip(database, stores):
    port = stores.ports.postgres
    with count_round_trips(port) as wire:
        url = database.engine.url.set(port=wire.port).render_as_string(hide_password=False)
        watched = Database(url, application="tests", pool_size=1)

        def trips(action) -> int:
            wire.round_trips = 0
            action()
            return wire.round_trips

        def add_in_transaction(name: str) -> None:
            with watched.transaction() as session:
                session.execute(ADD, {"name": name})

        def refuse() -> None:
            with pytest.raises(IntegrityError):
                watched.run(ADD, {"name": "a"})

        add_in_transaction("a")
        assert trips(lambda: add_in_transaction("b")) == 3  # with BEGIN and COMMIT
        assert trips(lambda: watched.run(ADD, {"name": "c"})) == 1
        assert trips(refuse) == 1
        assert trips(watched.check) == 1
        assert trips(lambda: add_in_transaction("d")) == 3
        watched.close()
    assert count(database) == 4


def test_a_statement_by_itself_gives_its_first_row_or_none(database):
    assert database.run(ADD, {"name": "a"}) is None
    assert database.run(text("SELECT name FROM things WHERE false")) is None
    assert database.run(text("SELECT 1 AS first UNION ALL SELECT 2 ORDER BY first")) == (1,)


def test_after_a_statement_by_itself_transactions_are_transactions(settings, database):
    def refuse(single: Database) -> None:
        with single.transaction() as session:
            session.execute(ADD, {"name": "b"})
            raise KeyError

    single = Database(settings.database_url.get_secret_value(), application="tests", pool_size=1)
    single.run(ADD, {"name": "a"})
    with pytest.raises(IntegrityError):
        single.run(ADD, {"name": "a"})
    with pytest.raises(KeyError):
        refuse(single)
    single.close()
    assert count(database) == 1


def test_a_statement_by_itself_that_fails_or_is_slow_opens_no_circuit(database):
    slow = text("SET LOCAL statement_timeout = '1ms'; SELECT pg_sleep(1)")
    for _ in range(5):
        with pytest.raises(OperationalError, match="statement timeout"):
            database.run(slow)
    assert count(database) == 0


def test_in_tests_a_statement_by_itself_is_undone_like_everything_else(settings, database):
    with savepoint_database(settings) as undone:
        undone.run(ADD, {"name": "a"})
        with pytest.raises(IntegrityError):
            undone.run(ADD, {"name": "a"})
        assert count(undone) == 1
    assert count(database) == 0
