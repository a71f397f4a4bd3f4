"""The stores survive what a machine does to them: kill -9, other ports, interrupted set-ups."""

import os
import shutil
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path

import psycopg2
import pymongo
import pytest
from pymongo.write_concern import WriteConcern
from redis import Redis

from cogniflow_dev.ports import free_ports
from cogniflow_dev.secrets import Secrets
from cogniflow_dev.stores import RunningStores, start_stores
from cogniflow_dev.stores.binaries import postgres_binary
from cogniflow_dev.stores.postgres import Postgres


@pytest.fixture(scope="module")
def restarted(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningStores]:
    """Stores that were filled, killed, and started again on other ports."""
    directory = tmp_path_factory.mktemp("stores")
    secrets = Secrets()
    before = start_stores(directory, secrets)
    _fill(before)
    for process in before.processes.values():
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
    after = start_stores(directory, secrets)
    yield after
    after.stop()


def test_postgres_kept_what_was_committed(restarted: RunningStores) -> None:
    url = restarted.urls("users")["DATABASE_URL"].replace("+psycopg2", "")
    with psycopg2.connect(url) as connection, connection.cursor() as cursor:
        cursor.execute("SELECT text FROM kept")
        assert cursor.fetchall() == [("in postgres",)]
    connection.close()


def test_mongo_kept_what_was_acknowledged(restarted: RunningStores) -> None:
    with pymongo.MongoClient[dict[str, str]](restarted.urls("chat")["MONGO_URL"]) as client:
        found = client.get_default_database()["kept"].find_one()
    assert found is not None
    assert found["text"] == "in mongo"


def test_redis_kept_what_was_acknowledged(restarted: RunningStores) -> None:
    with Redis.from_url(restarted.urls("users")["REDIS_URL"]) as client:
        assert client.get("users:kept") == b"in redis"


def test_an_interrupted_initdb_is_begun_anew(tmp_path: Path) -> None:
    half_made = tmp_path / "postgres.unfinished"
    half_made.mkdir()
    (half_made / "PG_VERSION").write_text("18\n")
    (port,) = free_ports(1)
    Postgres(tmp_path / "postgres", port, Secrets()).prepare()
    assert (tmp_path / "postgres" / "global" / "pg_control").exists()
    assert not half_made.exists()


def test_a_lock_file_whose_process_id_belongs_to_someone_else_is_removed(tmp_path: Path) -> None:
    folder = tmp_path / "postgres"
    folder.mkdir()
    lock = folder / "postmaster.pid"
    lock.write_text(f"{os.getpid()}\n{folder}\n")
    (port,) = free_ports(1)
    Postgres(folder, port, Secrets()).prepare()
    assert not lock.exists()


def _fill(stores: RunningStores) -> None:
    url = stores.urls("users")["DATABASE_URL"].replace("+psycopg2", "")
    with psycopg2.connect(url) as connection, connection.cursor() as cursor:
        cursor.execute("CREATE TABLE kept AS SELECT 'in postgres' AS text")
    connection.close()
    with pymongo.MongoClient[dict[str, str]](stores.urls("chat")["MONGO_URL"]) as client:
        durable = WriteConcern("majority", j=True)
        kept = client.get_default_database().get_collection("kept", write_concern=durable)
        kept.insert_one({"text": "in mongo"})
    with Redis.from_url(stores.urls("users")["REDIS_URL"]) as client:
        client.set("users:kept", "in redis")


@pytest.mark.skipif(os.geteuid() != 0, reason="only root runs PostgreSQL as somebody else")
def test_root_can_keep_programs_and_data_in_a_folder_closed_to_others(tmp_path, monkeypatch):
    closed = tmp_path / "closed"
    closed.mkdir(mode=0o700)
    installed = postgres_binary("postgres").parents[2]
    for package in (installed, installed.with_name(f"{installed.name}.libs")):
        shutil.copytree(package, closed / package.name, ignore=shutil.ignore_patterns("pginstall"))
    programs = closed / installed.name / "pginstall18" / "bin"
    monkeypatch.setattr("cogniflow_dev.stores.postgres.postgres_binary", lambda name: programs / name)
    server = Postgres(closed / "data", free_ports(1)[0], Secrets())
    server.prepare()
    with (closed / "log").open("wb") as log:
        process = subprocess.Popen(server.command(), stdout=log, stderr=log, start_new_session=True)
    try:
        server.wait_ready(30, still_running=lambda: process.poll() is None)
    finally:
        process.send_signal(signal.SIGINT)
        process.wait(20)
