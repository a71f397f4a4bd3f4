"""In every store a service can do its own work and nothing to anybody else's."""

import os
import time

import dramatiq
import psycopg2
import pytest
from dramatiq.brokers.redis import RedisBroker
from psycopg2.errors import InsufficientPrivilege
from pymongo import MongoClient
from pymongo.errors import OperationFailure
from redis import Redis
from redis.exceptions import NoPermissionError, ResponseError

from cogniflow_dev.stores import Stores


def run_sql(stores: Stores, role: str, *statements: str) -> None:
    """Execute and roll back: these tests leave nothing behind."""
    url = stores.urls(role)["DATABASE_URL"].replace("+psycopg2", "")
    connection = psycopg2.connect(url, connect_timeout=5)
    try:
        with connection.cursor() as cursor:
            for statement in statements:
                cursor.execute(statement)
    finally:
        connection.close()


@pytest.mark.parametrize("role", ["users", "courses", "chat", "analytics"])
def test_a_role_owns_its_schema(stores: Stores, role: str) -> None:
    run_sql(
        stores, role, "CREATE TABLE own (id int)", "INSERT INTO own VALUES (1)", f"SELECT * FROM {role}.own"
    )


def test_chat_has_vectors(stores: Stores) -> None:
    run_sql(
        stores,
        "chat",
        "CREATE TABLE passages (embedding vector(3))",
        "INSERT INTO passages VALUES ('[1,2,3]')",
        "CREATE INDEX ON passages USING hnsw (embedding vector_cosine_ops)",
        "SELECT embedding <=> '[3,2,1]' FROM passages",
    )


@pytest.mark.parametrize(
    "statement",
    [
        "SELECT * FROM users.users",
        "CREATE TABLE users.mine (id int)",
        "CREATE TABLE public.mine (id int)",
        "CREATE TEMPORARY TABLE mine (id int)",
        "CREATE SCHEMA mine",
        "CREATE ROLE mine",
        "SET ROLE users",
        "SELECT rolpassword FROM pg_authid",
        "COPY (SELECT 1) TO PROGRAM 'true'",
    ],
)
def test_a_role_is_refused_what_is_not_its_own(stores: Stores, statement: str) -> None:
    with pytest.raises(InsufficientPrivilege):
        run_sql(stores, "chat", statement)


@pytest.mark.parametrize("database", ["postgres", "template1"])
def test_a_role_enters_no_other_database(stores: Stores, database: str) -> None:
    url = stores.urls("chat")["DATABASE_URL"].replace("+psycopg2", "").rpartition("/")[0]
    with pytest.raises(psycopg2.OperationalError, match="permission denied for database"):
        psycopg2.connect(f"{url}/{database}", connect_timeout=5)


@pytest.mark.parametrize(
    ("database", "command"),
    [
        ("cogniflow_courses", {"find": "courses"}),
        ("cogniflow_courses", {"insert": "courses", "documents": [{}]}),
        ("cogniflow_chat", {"createUser": "mine", "pwd": "mine", "roles": []}),
        ("admin", {"shutdown": 1}),
        ("admin", {"find": "system.users"}),
        ("admin", {"getParameter": "*"}),
        ("local", {"find": "oplog.rs"}),
    ],
)
def test_mongo_refuses_what_is_not_ones_own(
    stores: Stores, database: str, command: dict[str, object]
) -> None:
    with MongoClient[dict[str, object]](stores.urls("chat")["MONGO_URL"]) as client:
        client.get_default_database().command("ping")
        with pytest.raises(OperationFailure, match="not authorized"):
            client[database].command(command)


def test_mongo_knows_nobody_without_a_login(stores: Stores) -> None:
    with (
        MongoClient[dict[str, object]]("127.0.0.1", stores.ports.mongo, directConnection=True) as client,
        pytest.raises(OperationFailure, match="requires authentication"),
    ):
        client["admin"].command({"createUser": "mine", "pwd": "mine", "roles": ["root"]})


@pytest.mark.parametrize(
    "command",
    [
        "GET courses:x",
        "SET courses:x 1",
        "RENAME chat:x courses:x",
        "PUBLISH courses:x 1",
        "FLUSHALL",
        "FLUSHDB",
        "CONFIG GET requirepass",
        "ACL LIST",
        "CLIENT LIST",
        "SHUTDOWN",
        "FUNCTION FLUSH",
        "SCRIPT FLUSH",
        "SAVE",
        "MONITOR",
    ],
)
def test_redis_refuses_what_is_not_ones_own(stores: Stores, command: str) -> None:
    with Redis.from_url(stores.urls("chat")["REDIS_URL"]) as client, pytest.raises(NoPermissionError):
        client.execute_command(*command.split())


def test_a_script_has_no_more_rights_than_its_caller(stores: Stores) -> None:
    with (
        Redis.from_url(stores.urls("chat")["REDIS_URL"]) as client,
        pytest.raises(ResponseError, match="ACL"),
    ):
        client.eval("return redis.call('get', 'courses:x')", 0)


def test_dramatiq_works_with_a_services_rights(stores: Stores) -> None:
    """Also the part that takes back a dead worker's messages, which needs KEYS."""

    def broker() -> RedisBroker:
        made: RedisBroker = RedisBroker(  # type: ignore[no-untyped-call]
            url=stores.urls("chat")["REDIS_URL"],
            namespace=f"chat:least-privilege-{os.getpid()}",
            maintenance_chance=1_000_000,
            heartbeat_timeout=100,
        )
        made.declare_queue("default")
        return made

    dead, alive = broker(), broker()
    dead.enqueue(dramatiq.Message("default", "noop", (), {}, {}))
    assert len(dead.do_fetch("default", 1)) == 1
    time.sleep(0.2)
    assert len(alive.do_fetch("default", 1)) == 1
    alive.do_purge("default")
