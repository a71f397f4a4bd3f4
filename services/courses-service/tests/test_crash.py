"""An import whose process is killed stores nothing."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from threading import Thread

import httpx
import pytest
from course_archives import targz
from jose import jwk
from sqlalchemy import text

from cogniflow_dev.ports import free_ports
from cogniflow_dev.testing.databases import committed_database
from cogniflow_dev.testing.servers import json_server
from cogniflow_dev.testing.tokens import headers
from courses_service.tables import metadata

WAITS_FOR_LOCK = text(
    "SELECT count(*) FROM pg_stat_activity"
    " WHERE wait_event_type = 'Lock' AND query ILIKE 'INSERT INTO%choices%'"
)


@pytest.fixture
def users_service(tokens) -> Iterator[str]:
    """A stand-in for users-service: it issues service tokens and publishes the signing key."""
    key = jwk.construct(tokens.keys.public_pem, "ES256").to_dict() | {"kid": tokens.keys.kid}
    answers = {
        "/internal/tokens": {"access_token": "a-token", "token_type": "bearer", "expires_in": 60},
        "/internal/verification": {"keys": [key], "revocations": []},
    }
    with json_server(lambda call: (200, answers[call.path])) as url:
        yield url


@pytest.fixture
def service(settings, users_service) -> Iterator[tuple[subprocess.Popen[bytes], str]]:
    """The service as a process of its own, and its URL."""
    (port,) = free_ports(1)
    values = {name.upper(): _plain(value) for name, value in settings if value is not None}
    environment = {
        **os.environ,
        **values,
        "PORT": str(port),
        "USERS_URL": users_service,
        "LOG_LEVEL": "WARNING",
    }
    process = subprocess.Popen([sys.executable, "-m", "courses_service"], env=environment)
    address = f"http://127.0.0.1:{port}"
    try:
        _eventually(lambda: _answers(f"{address}/health/live"))
        yield process, address
    finally:
        process.kill()
        process.wait()


def test_killed_import_stores_nothing(settings, service, tokens) -> None:
    process, address = service
    teacher = headers(tokens.user("instructor"))

    def upload() -> httpx.Response:
        files = {"file": ("c.tar.gz", targz())}
        return httpx.post(f"{address}/api/courses/import", headers=teacher, files=files, timeout=20)

    with committed_database(settings) as database:
        with database.engine.connect() as holder:
            # The import writes courses and lessons, then waits for the lock on choices.
            holder.execute(text("LOCK TABLE choices IN ACCESS EXCLUSIVE MODE"))
            thread = Thread(target=_ignoring_the_cut, args=(upload,))
            thread.start()
            _eventually(lambda: _count(database, WAITS_FOR_LOCK) == 1)
            process.send_signal(signal.SIGKILL)
            process.wait()
            thread.join()
            holder.rollback()
        _eventually(lambda: _count(database, WAITS_FOR_LOCK) == 0)
        for table in metadata.sorted_tables:
            assert _count(database, text(f"SELECT count(*) FROM {table.name}")) == 0, table.name


def _plain(value: object) -> str:
    return str(value.get_secret_value() if hasattr(value, "get_secret_value") else value)


def _count(database, statement) -> int:
    with database.transaction() as db:
        return int(db.scalars(statement).one())


def _answers(url: str) -> bool:
    try:
        return httpx.get(url, timeout=1).status_code == 200
    except httpx.TransportError:
        return False


def _ignoring_the_cut(call: Callable[[], object]) -> None:
    with pytest.raises(httpx.TransportError):
        call()


def _eventually(found: Callable[[], bool], within_s: float = 20) -> None:
    deadline = time.monotonic() + within_s
    while not found():
        assert time.monotonic() < deadline, "it didn't happen in time"
        time.sleep(0.05)
