"""Program turns under load, compared with the same SQL and with LangGraph in the same run.

    python bench/turns.py [--json FILE] [--runs 5] [--seconds 5] [--callers 4] [--conversations 20]

Starts its own stores, and chat-service as `python -m chat_service` does.
Callers run whole sessions of the bundled program DRIVEN. Compare the ratios;
turns per second depend on the machine and its load.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager, suppress
from http.client import HTTPConnection
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
import psycopg2
from jose import jwk
from load import Call, expect, in_turn
from turn_storage import PEER_DATABASE, cogniflow_turns, in_turn_with_peer

from chat_service.bootstrap import bootstrap
from chat_service.settings import Settings
from cogniflow_dev.ports import free_ports
from cogniflow_dev.secrets import Secrets
from cogniflow_dev.stores import start_stores
from cogniflow_dev.testing.environments import ServiceEnvironments
from cogniflow_dev.testing.servers import json_server
from cogniflow_dev.testing.tokens import TokenMint, headers

ANSWER = "On Monday at 10 I will ask my colleague Ana about it, because I felt it matters; confidence 8."
_JSON = {"Content-Type": "application/json"}


class Learners:
    """The program session of each caller; a completed one is replaced by a new one."""

    def __init__(self, mint: TokenMint) -> None:
        self._mint = mint
        self._sessions: dict[int, tuple[dict[str, str], str]] = {}

    def turn(self, connection: HTTPConnection, number: int) -> None:
        bearer, session_id = self._sessions.get(number) or self._begin(connection, number)
        body = json.dumps({"text": ANSWER, "client_message_id": str(uuid4())})
        path = f"/api/programs/sessions/{session_id}/answer"
        answer = json.loads(expect(connection, "POST", path, body=body, headers=bearer))
        if answer["status"] != "completed":
            raise RuntimeError("chat-service treated the database as unavailable")
        if answer["session_completed"]:
            del self._sessions[number]

    def _begin(self, connection: HTTPConnection, number: int) -> tuple[dict[str, str], str]:
        token = self._mint.user(exp=int(time.time()) + 3600)
        bearer = {**headers(token), **_JSON}
        body = json.dumps({"name": "Maja"})
        begun = expect(connection, "POST", "/api/programs/driven/start", body=body, headers=bearer)
        self._sessions[number] = (bearer, json.loads(begun)["id"])
        return self._sessions[number]


def bare_turn(connection: HTTPConnection, number: int) -> None:
    expect(connection, "POST", f"/turn/{number}")


def warm_up(url: str, mint: TokenMint) -> None:
    """One turn. On a busy machine the first start may exceed its time limit while it reads the program."""
    for _ in range(20):
        with suppress(RuntimeError), closing(HTTPConnection(url.removeprefix("http://"))) as connection:
            Learners(mint).turn(connection, 0)
            return
        time.sleep(1)


def measure(options: argparse.Namespace) -> dict[str, Any]:
    mint = TokenMint()
    with ExitStack() as stack:
        users_url = stack.enter_context(verification(mint))
        environment = stack.enter_context(fresh_environment(users_url))
        url, bare, plain = stack.enter_context(servers(environment))
        warm_up(url, mint)
        contenders: list[tuple[str, str, Call]] = [
            ("chat-service", url, Learners(mint).turn),
            ("the same SQL", bare, bare_turn),
            ("… by plain psycopg2", plain, bare_turn),
        ]
        how = {"runs": options.runs, "seconds": options.seconds, "callers": options.callers}
        rows = in_turn(contenders, **how)
        shown = [{**row.as_dict(), "ratio": round(rows[0].median / row.median, 3)} for row in rows]
        kept = in_turn_with_peer(
            lambda: cogniflow_turns(environment["DATABASE_URL"], options.conversations),
            environment["PEER_URL"],
            runs=options.runs,
            conversations=options.conversations,
        )
    return {**how, "conversations": options.conversations, "turns": shown, "persisting": kept}


@contextmanager
def verification(mint: TokenMint) -> Iterator[str]:
    """Serve the part of users-service's API that chat-service needs to verify tokens."""
    key = {**jwk.construct(mint.keys.public_pem, "ES256").to_dict(), "kid": mint.keys.kid}
    answers = {
        "/internal/tokens": {"access_token": "service", "expires_in": 60},
        "/internal/verification": {"keys": [key], "revocations": []},
    }
    with json_server(lambda call: (200, answers.get(call.path, {}))) as url:
        yield url


@contextmanager
def fresh_environment(users_url: str) -> Iterator[dict[str, str]]:
    """Stores for this run, as durable as in production; yields chat-service's environment variables."""
    with tempfile.TemporaryDirectory(prefix="cogniflow-bench-") as folder:
        running = start_stores(Path(folder), Secrets.load_or_create(Path(folder) / "secrets.json"))
        environments = ServiceEnvironments(running.stores, "main")
        try:
            values = environments("chat", lambda values: bootstrap(Settings(**values)))
            values |= {"users_url": users_url, "spool_dir": Path(folder) / "spool"}
            admin_url = running.stores.postgres.admin_url("postgres")
            with closing(psycopg2.connect(admin_url)) as admin:
                admin.autocommit = True
                admin.cursor().execute(f"CREATE DATABASE {PEER_DATABASE}")
            peer_url = running.stores.postgres.admin_url(PEER_DATABASE)
            yield {name.upper(): str(value) for name, value in values.items()} | {"PEER_URL": peer_url}
        finally:
            environments.close()
            running.stop()


@contextmanager
def servers(environment: dict[str, str]) -> Iterator[tuple[str, str, str]]:
    """Start chat-service and the lower bound by each driver; yields their URLs."""
    ports = free_ports(3)
    variables = {**os.environ, **environment, "LOG_LEVEL": "INFO", "PORT": str(ports[0])}
    bare = ["uvicorn", "bare_turns:app", "--no-access-log", "--log-level", "error", "--port"]
    commands = (["chat_service"], [*bare, str(ports[1])], [*bare, str(ports[2])])
    with ExitStack() as stack:
        for command, driver in zip(commands, ("", "kit", "psycopg2"), strict=True):
            process = subprocess.Popen(
                [sys.executable, "-m", *command],
                env={**variables, "BARE_DRIVER": driver},
                cwd=Path(__file__).parent,
                stdout=subprocess.DEVNULL,
            )
            stack.callback(process.wait)
            stack.callback(process.terminate)
        url, bare_url, plain_url = (f"http://127.0.0.1:{port}" for port in ports)
        for ready in (f"{url}/health/ready", f"{bare_url}/hello", f"{plain_url}/hello"):
            _wait(ready)
        yield url, bare_url, plain_url


def _wait(url: str) -> None:
    for _ in range(300):
        try:
            httpx.get(url, trust_env=False).raise_for_status()
        except httpx.HTTPError:
            time.sleep(0.1)
        else:
            return
    raise RuntimeError(f"{url} doesn't answer")


def main() -> None:
    parser = argparse.ArgumentParser(
        description="Program turns, compared with their lower bound and LangGraph."
    )
    parser.add_argument("--json", type=Path, help="file for the result")
    parser.add_argument("--runs", type=int, default=5, help="runs of each contender, alternating")
    parser.add_argument("--seconds", type=float, default=5.0, help="duration of a run")
    parser.add_argument("--callers", type=int, default=4, help="concurrent learners")
    parser.add_argument(
        "--conversations",
        type=int,
        default=20,
        help="conversations of 50 messages per run of the comparison with LangGraph",
    )
    options = parser.parse_args()
    found = measure(options)
    if options.json:
        options.json.write_text(json.dumps(found, indent=2) + "\n")
    print("turns under load")
    for row in found["turns"]:
        spread = f"{row['slowest']:.0f}–{row['fastest']:.0f}"
        print(
            f"  {row['name']:<24} {row['median']:>7.0f}/s ({spread}), p99 {row['p99_ms']:.1f} ms,"
            f" chat-service is {row['ratio']}×"
        )
    print("storing a turn of a 50-message conversation")
    for row in found["persisting"]:
        spread = f"{row['fastest_ms']:.2f}–{row['slowest_ms']:.2f}"
        print(
            f"  {row['name']:<24} {row['median_ms']:>7.2f} ms ({spread}),"
            f" p99 {row['p99_ms']:.1f} ms, {row['wal_bytes_per_turn']} bytes of WAL per turn"
        )


if __name__ == "__main__":
    main()
