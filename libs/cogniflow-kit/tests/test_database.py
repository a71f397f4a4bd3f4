"""One transaction a request, committed before the answer; outages are told, and soon told fast."""

import time

import pytest
from fastapi import APIRouter
from sqlalchemy import text
from sqlalchemy.exc import OperationalError

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
        session.execute(text("SELECT pg_terminate_backend(:pid)"), {"pid": backend})
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
