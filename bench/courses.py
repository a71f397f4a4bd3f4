"""Course reads under load, beside a hello world and /health/live under the same server, in one run.

    python bench/courses.py [--json FILE] [--courses 20] [--runs 5] [--seconds 5] [--callers 4]

Starts stores of its own, fills them with courses of 50 lessons, and serves
courses-service as `python -m courses_service` does. Every read carries an
access token. Judge by the ratios and by CPU time per request: requests per
second depend on the machine and on what else it does.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from http.client import HTTPConnection
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx
import psutil
from jose import jwk
from load import Call, expect, in_turn

from cogniflow_dev.ports import free_ports
from cogniflow_dev.secrets import Secrets
from cogniflow_dev.stores import start_stores
from cogniflow_dev.testing.environments import ServiceEnvironments
from cogniflow_dev.testing.servers import json_server
from cogniflow_dev.testing.tokens import TokenMint, headers
from courses_service.bootstrap import bootstrap
from courses_service.settings import Settings

LESSONS = 50
CPU_REQUESTS = 2000
"""Requests, one after another, over which the CPU time per request is measured."""


class Callers:
    """Each caller is a learner with an access token who reads the courses in turn."""

    def __init__(self, tokens: TokenMint, course_ids: list[str], count: int) -> None:
        self._course_ids = course_ids
        self._headers = [headers(tokens.user()) for _ in range(count)]
        self._reads = [0] * count

    def detail(self, connection: HTTPConnection, number: int) -> None:
        self._read(connection, number, "")

    def outline(self, connection: HTTPConnection, number: int) -> None:
        self._read(connection, number, "/outline")

    def _read(self, connection: HTTPConnection, number: int, part: str) -> None:
        course_id = self._course_ids[self._reads[number] % len(self._course_ids)]
        self._reads[number] += 1
        expect(connection, "GET", f"/api/courses/{course_id}{part}", headers=self._headers[number])


def hello(connection: HTTPConnection, _number: int) -> None:
    expect(connection, "GET", "/hello")


def live(connection: HTTPConnection, _number: int) -> None:
    expect(connection, "GET", "/health/live")


def measure(options: argparse.Namespace) -> dict[str, Any]:
    tokens = TokenMint()
    with ExitStack() as stack:
        environment = stack.enter_context(fresh_environment())
        environment["USERS_URL"] = stack.enter_context(users_service(tokens))
        service, bare = stack.enter_context(servers(environment))
        course_ids = new_courses(service.url, tokens, options.courses)
        callers = Callers(tokens, course_ids, options.callers)
        contenders: dict[str, tuple[Server, Call]] = {
            "GET /api/courses/{id}": (service, callers.detail),
            "GET /api/courses/{id}/outline": (service, callers.outline),
            "/health/live": (service, live),
            "hello world": (bare, hello),
        }
        sizes = {
            part or "detail": len(_get(f"{service.url}/api/courses/{course_ids[0]}{part}", tokens))
            for part in ("", "/outline")
        }
        how = {"runs": options.runs, "seconds": options.seconds, "callers": options.callers}
        results = in_turn([(name, server.url, call) for name, (server, call) in contenders.items()], **how)
        cpu_us = {name: server.cpu_us(call) for name, (server, call) in contenders.items()}
    floor = results[-1]
    rows = [
        {
            **row.as_dict(),
            "of_hello_world": round(row.median / floor.median, 3),
            "cpu_us": round(cpu_us[row.name]),
            "cpu_of_hello_world": round(cpu_us[floor.name] / cpu_us[row.name], 3),
        }
        for row in results
    ]
    return {"courses": options.courses, "lessons": LESSONS, "bytes": sizes, **how, "results": rows}


class Server:
    """A server process with its base URL."""

    def __init__(self, process: subprocess.Popen[bytes], url: str) -> None:
        self._process = psutil.Process(process.pid)
        self.url = url

    def cpu_us(self, call: Call) -> float:
        """CPU time of the process per request, in microseconds: nearly independent of other load."""
        connection = HTTPConnection(urlsplit(self.url).netloc, timeout=30)
        before = self._process.cpu_times()
        for _ in range(CPU_REQUESTS):
            call(connection, 0)
        after = self._process.cpu_times()
        connection.close()
        return (after.user + after.system - before.user - before.system) / CPU_REQUESTS * 1e6


@contextmanager
def users_service(tokens: TokenMint) -> Iterator[str]:
    """A stand-in that issues service tokens and publishes the key that access tokens are signed with."""
    key = jwk.construct(tokens.keys.public_pem, "ES256").to_dict() | {"kid": tokens.keys.kid}
    responses = {
        "/internal/tokens": {"access_token": "a-token", "token_type": "bearer", "expires_in": 60},
        "/internal/verification": {"keys": [key], "revocations": []},
    }
    with json_server(lambda call: (200, responses[call.path])) as url:
        yield url


@contextmanager
def fresh_environment() -> Iterator[dict[str, str]]:
    """Stores of this run alone, durable as in production, as environment variables of courses-service."""
    with tempfile.TemporaryDirectory(prefix="cogniflow-bench-") as folder:
        running = start_stores(Path(folder), Secrets.load_or_create(Path(folder) / "secrets.json"))
        environments = ServiceEnvironments(running.stores, "main")
        try:
            values = environments("courses", lambda values: bootstrap(Settings(**values)))
            yield {name.upper(): str(value) for name, value in values.items()}
        finally:
            environments.close()
            running.stop()


@contextmanager
def servers(environment: dict[str, str]) -> Iterator[tuple[Server, Server]]:
    """courses-service, and the hello world under the same server."""
    service_port, bare_port = free_ports(2)
    variables = {**os.environ, **environment, "LOG_LEVEL": "INFO", "PORT": str(service_port)}
    bare = [
        "uvicorn",
        "bare_courses:app",
        "--port",
        str(bare_port),
        "--no-access-log",
        "--log-level",
        "error",
    ]
    found = []
    with ExitStack() as stack:
        for command, port, path in (
            (["courses_service"], service_port, "/health/ready"),
            (bare, bare_port, "/hello"),
        ):
            process = subprocess.Popen(
                [sys.executable, "-m", *command],
                env=variables,
                cwd=Path(__file__).parent,
                stdout=subprocess.DEVNULL,
            )
            stack.callback(process.wait)
            stack.callback(process.terminate)
            url = f"http://127.0.0.1:{port}"
            _wait(url + path)
            found.append(Server(process, url))
        yield found[0], found[1]


def new_courses(url: str, tokens: TokenMint, count: int) -> list[str]:
    """Published courses of LESSONS lessons, with titles that make an outline of about 19 KB."""
    teacher = headers(tokens.user("instructor"))
    lessons = [{"title": f"Lesson {n}: " + "memory and attention " * 11} for n in range(LESSONS // 5)]
    sections = [{"title": f"Section {n}", "lessons": lessons} for n in range(5)]
    ids: list[str] = []
    with httpx.Client(base_url=url, headers=teacher, timeout=30, trust_env=False) as client:
        for number in range(count):
            new = {"title": f"Course {number}", "description": "About memory. " * 100, "sections": sections}
            course_id = client.post("/api/courses", json=new).raise_for_status().json()["id"]
            client.patch(f"/api/courses/{course_id}", json={"status": "published"}).raise_for_status()
            ids.append(course_id)
    return ids


def _get(url: str, tokens: TokenMint) -> bytes:
    return httpx.get(url, headers=headers(tokens.user()), trust_env=False).raise_for_status().content


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
    parser = argparse.ArgumentParser(description="Course reads under load, beside a hello world.")
    parser.add_argument("--json", type=Path, help="keep the result in this file")
    parser.add_argument("--courses", type=int, default=20, help="courses in the data set")
    parser.add_argument("--runs", type=int, default=5, help="runs of each contender, in turn")
    parser.add_argument("--seconds", type=float, default=5.0, help="length of a run")
    parser.add_argument("--callers", type=int, default=4, help="connections at once")
    options = parser.parse_args()
    found = measure(options)
    if options.json:
        options.json.write_text(json.dumps(found, indent=2) + "\n")
    print(f"{found['courses']} courses of {LESSONS} lessons; bytes: {found['bytes']}")
    for row in found["results"]:
        spread = f"{row['slowest']:.0f}–{row['fastest']:.0f}"
        print(
            f"  {row['name']:<30} {row['median']:>7.0f}/s  ({spread})  {row['of_hello_world']}× hello world"
            f"   CPU {row['cpu_us']} µs, {row['cpu_of_hello_world']}× hello world"
        )


if __name__ == "__main__":
    main()
