"""Identity requests under load, compared with their lower bounds in the same run.

    python bench/identity.py [--json FILE] [--users 10000] [--runs 5] [--seconds 5] [--callers 4]

Starts its own stores, fills them with accounts, and starts users-service as
`python -m users_service` does. Compare the ratios; requests per second depend
on the machine and its load.
"""

import argparse
import hashlib
import json
import os
import secrets
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from http.client import HTTPConnection
from pathlib import Path
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

import httpx
from identity_data import PASSWORD, new_refresh_tokens, new_users
from load import Call, Result, expect, in_turn

from cogniflow_dev.ports import free_ports
from cogniflow_dev.secrets import Secrets
from cogniflow_dev.stores import start_stores
from cogniflow_dev.testing.environments import ServiceEnvironments
from cogniflow_kit.sql.database import Database
from users_service.bootstrap import bootstrap
from users_service.settings import Settings

_FORM = {"Content-Type": "application/x-www-form-urlencoded"}
_JSON = {"Content-Type": "application/json"}


class Callers:
    """The callers' accounts, access tokens and refresh tokens (for the service and for the lower bound)."""

    def __init__(self, url: str, database: Database, users: list[tuple[UUID, str]]) -> None:
        self.users = users
        pairs = [_log_in(url, username) for _, username in users]
        self.bearers = [{"Authorization": f"Bearer {pair['access_token']}"} for pair in pairs]
        self.refresh_tokens = [pair["refresh_token"] for pair in pairs]
        self.hashes = new_refresh_tokens(database, [user_id for user_id, _ in users])

    def me(self, connection: HTTPConnection, number: int) -> None:
        expect(connection, "GET", "/api/users/me", headers=self.bearers[number])

    def bare_me(self, connection: HTTPConnection, number: int) -> None:
        expect(connection, "GET", f"/me/{self.users[number][0]}")

    def log_in(self, connection: HTTPConnection, number: int) -> None:
        form = urlencode({"username": self.users[number][1], "password": PASSWORD})
        expect(connection, "POST", "/api/auth/token", body=form, headers=_FORM)

    def bare_log_in(self, connection: HTTPConnection, _number: int) -> None:
        expect(connection, "POST", "/argon2")

    def refresh(self, connection: HTTPConnection, number: int) -> None:
        body = json.dumps({"refresh_token": self.refresh_tokens[number]})
        answer = expect(connection, "POST", "/api/auth/refresh", body=body, headers=_JSON)
        self.refresh_tokens[number] = json.loads(answer)["refresh_token"]

    def bare_refresh(self, connection: HTTPConnection, number: int) -> None:
        following = hashlib.sha256(secrets.token_bytes(32)).hexdigest()
        expect(connection, "POST", f"/refresh?hash={self.hashes[number]}&next={following}")
        self.hashes[number] = following


def hello(connection: HTTPConnection, _number: int) -> None:
    expect(connection, "GET", "/hello")


def measure(options: argparse.Namespace) -> dict[str, Any]:
    with ExitStack() as stack:
        environment = stack.enter_context(fresh_environment())
        url, bare, plain = stack.enter_context(servers(environment))
        database = Database(environment["DATABASE_URL"], application="bench")
        stack.callback(database.close)
        users = new_users(database, options.users)
        callers = Callers(url, database, users[: options.callers])
        how = {"runs": options.runs, "seconds": options.seconds, "callers": options.callers}
        comparisons: dict[str, list[tuple[str, str, Call]]] = {
            "GET /api/users/me": [
                ("users-service", url, callers.me),
                ("the same SQL", bare, callers.bare_me),
                ("plain psycopg2", plain, callers.bare_me),
                ("hello world", bare, hello),
            ],
            "POST /api/auth/token": [
                ("users-service", url, callers.log_in),
                ("the same argon2", bare, callers.bare_log_in),
            ],
            "POST /api/auth/refresh": [
                ("users-service", url, callers.refresh),
                ("the same SQL", bare, callers.bare_refresh),
                ("plain psycopg2", plain, callers.bare_refresh),
            ],
        }
        found = {name: in_turn(contenders, **how) for name, contenders in comparisons.items()}
    return {
        "accounts": options.users,
        **how,
        "results": {name: _with_ratios(rows) for name, rows in found.items()},
    }


@contextmanager
def fresh_environment() -> Iterator[dict[str, str]]:
    """Stores for this run, as durable as in production; yields users-service's environment variables."""
    with tempfile.TemporaryDirectory(prefix="cogniflow-bench-") as folder:
        running = start_stores(Path(folder), Secrets.load_or_create(Path(folder) / "secrets.json"))
        environments = ServiceEnvironments(running.stores, "main")
        try:
            values = environments("users", lambda values: bootstrap(Settings(**values)))
            yield {name.upper(): str(value) for name, value in values.items()}
        finally:
            environments.close()
            running.stop()


@contextmanager
def servers(environment: dict[str, str]) -> Iterator[tuple[str, str, str]]:
    """Start users-service and the lower bounds (the kit's, plain psycopg2's); yields their URLs."""
    service_port, *bare_ports = free_ports(3)
    variables = {**os.environ, **environment, "LOG_LEVEL": "INFO", "PORT": str(service_port)}
    commands = [["users_service"]]
    for module, port in zip(("bare_identity", "plain_identity"), bare_ports, strict=True):
        quiet = ["--no-access-log", "--log-level", "error"]
        commands.append(["uvicorn", f"{module}:app", "--port", str(port), *quiet])
    with ExitStack() as stack:
        for command in commands:
            process = subprocess.Popen(
                [sys.executable, "-m", *command],
                env=variables,
                cwd=Path(__file__).parent,
                stdout=subprocess.DEVNULL,
            )
            stack.callback(process.wait)
            stack.callback(process.terminate)
        _wait(f"http://127.0.0.1:{service_port}/health/ready")
        for port in bare_ports:
            _wait(f"http://127.0.0.1:{port}/openapi.json")
        service, bare, plain = (f"http://127.0.0.1:{port}" for port in (service_port, *bare_ports))
        yield service, bare, plain


def _wait(url: str) -> None:
    for _ in range(300):
        try:
            httpx.get(url, trust_env=False).raise_for_status()
        except httpx.HTTPError:
            time.sleep(0.1)
        else:
            return
    raise RuntimeError(f"{url} doesn't answer")


def _log_in(url: str, username: str) -> dict[str, str]:
    form = {"username": username, "password": PASSWORD}
    pair: dict[str, str] = (
        httpx.post(f"{url}/api/auth/token", data=form, trust_env=False).raise_for_status().json()
    )
    return pair


def _with_ratios(rows: list[Result]) -> list[dict[str, object]]:
    """Results with their ratio to the first one, which is users-service."""
    return [{**row.as_dict(), "ratio": round(rows[0].median / row.median, 3)} for row in rows]


def main() -> None:
    parser = argparse.ArgumentParser(
        description="Identity requests under load, compared with their lower bounds."
    )
    parser.add_argument("--json", type=Path, help="file for the result")
    parser.add_argument("--users", type=int, default=10_000, help="accounts in the data set")
    parser.add_argument("--runs", type=int, default=5, help="runs of each contender, alternating")
    parser.add_argument("--seconds", type=float, default=5.0, help="duration of a run")
    parser.add_argument("--callers", type=int, default=4, help="concurrent connections")
    options = parser.parse_args()
    found = measure(options)
    if options.json:
        options.json.write_text(json.dumps(found, indent=2) + "\n")
    for name, rows in found["results"].items():
        print(name)
        for row in rows:
            spread = f"{row['slowest']:.0f}–{row['fastest']:.0f}"
            print(
                f"  {row['name']:<16} {row['median']:>8.0f}/s  ({spread})  users-service is {row['ratio']}×"
            )


if __name__ == "__main__":
    main()
