"""PostgreSQL frozen, or only slow: nobody waits past the limit, and afterwards all is as before."""

import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing
from math import inf
from threading import Thread

import psycopg2
import pytest
from fastapi import APIRouter, Request
from sqlalchemy import text
from sqlalchemy.exc import OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from cogniflow_kit.errors import Unavailable
from cogniflow_kit.sql import deadline
from cogniflow_kit.sql.database import Database
from cogniflow_kit.sql.deadline import remaining, within

ONE = text("SELECT 1")
BACKEND = text("SELECT pg_backend_pid()")
ADD = text("INSERT INTO kept (name) VALUES (:name)")
NAMES = text("SELECT array_agg(name ORDER BY name) FROM kept")
LONG = text("SELECT pg_sleep(9)")
RUNNING = text("SELECT count(*) FROM pg_stat_activity WHERE state = 'active' AND query = :query")
NO_ANSWER = "did not answer"

router = APIRouter()


@router.post("/kept/{name}")
def keep(name: str, request: Request) -> None:
    with within(0.5), request.app.state.database.transaction() as session:
        session.execute(ADD, {"name": name})


@router.get("/remaining")
def time_left() -> str:
    return str(remaining())


@pytest.fixture
def impatient(monkeypatch):
    monkeypatch.setattr(deadline, "RESPONSE_TIMEOUT_S", 0.5)


class Clock:
    """How long a block took, in seconds."""

    def __enter__(self) -> "Clock":
        self._started = time.monotonic()
        return self

    def __exit__(self, *_: object) -> None:
        self.seconds = time.monotonic() - self._started


def names(database: Database) -> list[str]:
    return database.run(NAMES)[0] or []


def add_in_transaction(database: Database, name: str, meanwhile=lambda: None, then=lambda: None) -> None:
    """`meanwhile` happens before the statement, `then` before the commit."""
    with database.transaction() as session:
        session.execute(ONE)
        meanwhile()
        session.execute(ADD, {"name": name})
        then()


def add_in_one(database: Database, name: str) -> None:
    database.run(ADD, {"name": name})


WAYS = pytest.mark.parametrize("add", [add_in_transaction, add_in_one], ids=["transaction", "run"])


@WAYS
def test_frozen_nobody_waits_for_ever(own_server, fragile, impatient, add):
    before = fragile.run(BACKEND)
    own_server.freeze()
    with Clock() as clock, pytest.raises(OperationalError, match=NO_ANSWER) as lost:
        add(fragile, "a")
    assert 0.4 < clock.seconds < 3
    assert lost.value.connection_invalidated
    own_server.thaw()
    add(fragile, "b")
    assert "b" in names(fragile)
    assert fragile.run(BACKEND) != before
    assert fragile.engine.pool.checkedout() == 0


@WAYS
def test_frozen_a_deadline_holds(own_server, fragile, add):
    names(fragile)
    own_server.freeze()
    with Clock() as clock, within(0.5), pytest.raises(OperationalError, match=NO_ANSWER):
        add(fragile, "a")
    assert 0.4 < clock.seconds < 3


@pytest.mark.parametrize(("outer", "inner"), [(30, 0.3), (0.3, 30)])
def test_frozen_the_nearest_of_nested_deadlines_counts(own_server, fragile, outer, inner):
    own_server.freeze()
    with Clock() as clock, within(outer), within(inner), pytest.raises(OperationalError, match=NO_ANSWER):
        fragile.run(ONE)
    assert clock.seconds < 2


def test_frozen_before_its_commit_a_transaction_fails_in_time(own_server, fragile, impatient):
    with Clock() as clock, pytest.raises(OperationalError, match=NO_ANSWER):
        add_in_transaction(fragile, "a", then=own_server.freeze)
    assert clock.seconds < 5
    own_server.thaw()
    add_in_one(fragile, "b")


def test_frozen_before_its_rollback_a_transaction_fails_in_time(own_server, fragile, impatient):
    def refuse() -> None:
        own_server.freeze()
        raise KeyError

    with Clock() as clock, pytest.raises(OperationalError, match=NO_ANSWER):
        add_in_transaction(fragile, "a", then=refuse)
    assert clock.seconds < 5
    own_server.thaw()
    assert names(fragile) == []


def test_frozen_nobody_connects_for_ever(own_server, fragile):
    own_server.freeze()
    newcomer = Database(own_server.url("chat"), application="tests")
    with Clock() as usual, pytest.raises(OperationalError, match=NO_ANSWER):
        newcomer.run(ONE)
    with Clock() as nearer, within(0.3), pytest.raises(OperationalError, match=NO_ANSWER):
        newcomer.run(ONE)
    assert 2.5 < usual.seconds < 8
    assert nearer.seconds < 2


def test_frozen_connections_of_others_keep_the_limit_they_asked_for(own_server, fragile):
    """psycopg2 itself forgets `connect_timeout` while somebody else does its waiting."""
    own_server.freeze()
    with Clock() as clock, pytest.raises(psycopg2.OperationalError, match=NO_ANSWER):
        psycopg2.connect(own_server.stores.postgres.admin_url(), connect_timeout=1)
    assert 0.9 < clock.seconds < 4


def test_frozen_callers_are_refused_and_soon_fast(own_server, fragile, make_client):
    client = make_client(router, stores=(fragile,))
    assert client.post("/kept/a").status_code == 200
    own_server.freeze()
    for _ in range(4):
        answer = client.post("/kept/b")
        assert (answer.status_code, answer.json()["code"]) == (503, "service_unavailable")
        assert answer.headers["retry-after"]
    with Clock() as clock:
        assert client.post("/kept/b").status_code == 503
    assert clock.seconds < 0.3
    own_server.thaw()
    time.sleep(2.1)  # until the breaker lets one try
    assert client.post("/kept/c").status_code == 200
    assert names(fragile) == ["a", "c"]


def test_frozen_readiness_says_so_in_time(own_server, fragile, make_client):
    client = make_client(router, stores=(fragile,))
    assert client.get("/health/ready").status_code == 200
    own_server.freeze()
    with Clock() as clock:
        assert client.get("/health/ready").status_code == 503
    assert clock.seconds < 6


def test_past_the_deadline_nothing_is_begun_and_nobody_is_blamed(fragile):
    for add in (add_in_one, add_in_transaction) * 3:
        with within(0), pytest.raises(Unavailable) as refused:
            add(fragile, "a")
        assert refused.value.headers["Retry-After"]
    assert names(fragile) == []


def test_a_statement_past_the_deadline_loses_its_connection_and_no_other_suffers(fragile):
    with Clock() as clock, within(0.3), pytest.raises(OperationalError, match=NO_ANSWER):
        fragile.run(text("SELECT pg_sleep(20)"))
    assert clock.seconds < 3
    add_in_transaction(fragile, "a")
    assert names(fragile) == ["a"]


def test_a_statement_past_the_deadline_does_not_go_on_at_the_server(fragile):
    with within(0.3), pytest.raises(OperationalError, match=NO_ANSWER):
        fragile.run(LONG)
    assert fragile.run(RUNNING, {"query": LONG.text}) == (1,)
    give_up = time.monotonic() + 6
    while fragile.run(RUNNING, {"query": LONG.text}) != (0,):
        assert time.monotonic() < give_up, "it still runs"
        time.sleep(0.1)


def pause() -> None:
    time.sleep(0.5)


@pytest.mark.parametrize("late", ["meanwhile", "then"])
def test_a_transaction_past_its_deadline_leaves_nothing(fragile, late):
    with within(0.3), pytest.raises(OperationalError, match=r"did not answer|before the COMMIT"):
        add_in_transaction(fragile, "a", **{late: pause})
    assert names(fragile) == []
    assert fragile.engine.pool.checkedout() == 0


def test_a_full_pool_is_waited_for_no_longer_than_the_deadline(own_server, fragile):
    small = Database(own_server.url("chat"), application="tests", pool_size=1)
    with ExitStack() as held:
        for _ in range(6):
            held.enter_context(small.transaction())
        with Clock() as clock, within(0.3), pytest.raises(PoolTimeout):
            small.run(ONE)
        assert 0.2 < clock.seconds < 2
    assert small.run(ONE) is not None
    small.close()


def test_connections_of_others_may_take_their_time(own_server, fragile, impatient):
    url = own_server.stores.postgres.admin_url()
    with closing(psycopg2.connect(url, connect_timeout=0)) as other, other.cursor() as cursor:
        cursor.execute("SELECT pg_sleep(1)")
        assert cursor.fetchone() == ("",)


def test_much_data_goes_through_both_ways(fragile):
    much = "x" * 20_000_000
    assert fragile.run(text("SELECT CAST(:much AS text)"), {"much": much})[0] == much


def test_a_deadline_ends_with_its_block_also_when_that_raises():
    def fail() -> None:
        with within(1):
            raise KeyError

    with pytest.raises(KeyError):
        fail()
    assert remaining() == inf


def test_a_handlers_deadline_is_no_other_requests(fragile, make_client):
    client = make_client(router, stores=(fragile,))
    assert client.post("/kept/a").status_code == 200
    assert {client.get("/remaining").text for _ in range(50)} == {'"inf"'}


def test_a_jobs_deadline_is_not_the_next_jobs():
    """A worker's threads live on from job to job."""

    def job() -> None:
        with within(0.1):
            raise KeyError

    with ThreadPoolExecutor(max_workers=1) as worker:
        assert isinstance(worker.submit(job).exception(), KeyError)
        assert worker.submit(remaining).result() == inf


def test_a_new_thread_begins_without_a_deadline():
    seen: list[float] = []
    with within(1):
        thread = Thread(target=lambda: seen.append(remaining()))
        thread.start()
        thread.join()
    assert seen == [inf]
