"""The real gateway in front of four recording servers: who gets which request, and what is refused."""

import os
import re
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import httpx
import pytest

from cogniflow_dev.paths import repository_root
from cogniflow_dev.ports import free_ports

PARTS = ("users", "courses", "chat", "analytics")
AWAY = "chat"
"""The one service that is not running."""
ACCESS = (repository_root() / "tests" / "security" / "access.md").read_text()
ROUTES = sorted(set(re.findall(r"^\| (\w+) \| `\w+ (/(?:api|xapi|\.well-known)\S*)`", ACCESS, re.MULTILINE)))
"""The public routes of all services: service and path."""


class Recorder(BaseHTTPRequestHandler):
    """Answers with its own name, the path it was asked for, the client's address and the request id."""

    protocol_version = "HTTP/1.1"
    part: str

    def answer(self) -> None:
        self.rfile.read(int(self.headers.get("Content-Length") or 0))
        seen = (self.part, self.path, self.headers["X-Forwarded-For"], self.headers["X-Request-ID"])
        body = " ".join(seen).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    do_GET = do_POST = answer  # noqa: N815 - named by the standard library

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        """Test output stays quiet."""


class Upstream(ThreadingHTTPServer):
    def handle_error(self, request: object, client_address: object) -> None:
        """The gateway may break off a request that it refuses half way."""


@pytest.fixture(scope="module")
def gateway() -> Iterator[httpx.Client]:
    servers = {
        part: Upstream(("127.0.0.1", 0), type(part, (Recorder,), {"part": part}))
        for part in PARTS
        if part != AWAY
    }
    for server in servers.values():
        threading.Thread(target=server.serve_forever, daemon=True).start()
    port, nobody = free_ports(2)
    upstreams = {
        f"{part.upper()}_UPSTREAM": f"127.0.0.1:{servers[part].server_port if part in servers else nobody}"
        for part in PARTS
    }
    process = subprocess.Popen(
        [caddy(), "run", "--config", "deploy/Caddyfile", "--adapter", "caddyfile"],
        cwd=repository_root(),
        env={**os.environ, **upstreams, "GATEWAY_ADDRESS": f":{port}"},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        with httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=10) as client:
            wait_for(client)
            yield client
    finally:
        process.terminate()
        process.wait(timeout=30)
        for server in servers.values():
            server.shutdown()


def caddy() -> str:
    beside_python = Path(sys.executable).parent / "caddy"
    return str(beside_python) if beside_python.exists() else str(shutil.which("caddy"))


def wait_for(client: httpx.Client) -> None:
    deadline = time.monotonic() + 15
    while time.monotonic() < deadline:
        try:
            client.get("/health")
        except httpx.TransportError:
            time.sleep(0.05)
        else:
            return
    pytest.fail("the gateway did not start within 15 s")


@pytest.mark.parametrize(
    ("path", "part"),
    [
        ("/api/admin/outbox", "users"),
        ("/api/auth/token", "users"),
        ("/api/auth/links/verify-email?token=t", "users"),
        ("/api/users", "users"),
        ("/api/users/me", "users"),
        ("/api/profile", "users"),
        ("/api/privacy/export", "users"),
        ("/.well-known/jwks.json", "users"),
        ("/api/courses", "courses"),
        ("/api/courses/1/outline?depth=2", "courses"),
        ("/api/lessons/1", "courses"),
        ("/api/quizzes/1", "courses"),
        ("/api/analytics/courses/1/activity", "analytics"),
        ("/api/presence", "analytics"),
        ("/api/events", "analytics"),
        ("/xapi/statements", "analytics"),
    ],
)
def test_each_address_reaches_its_service(gateway: httpx.Client, path: str, part: str) -> None:
    assert gateway.get(path).text.split()[:2] == [part, path]


@pytest.mark.parametrize(("part", "path"), ROUTES, ids=" ".join)
def test_every_public_route_reaches_its_service(gateway: httpx.Client, part: str, path: str) -> None:
    path = re.sub(r"{\w+}", "1", path)
    answer = gateway.get(path)
    if part == AWAY:
        assert (answer.status_code, answer.json()["code"]) == (503, "service_unavailable")
    else:
        assert answer.text.split()[:2] == [part, path]


@pytest.mark.parametrize(
    "path",
    [
        "/internal/events",
        "//internal/events",
        "/api/users/../../internal/events",
        "/api/users/%2e%2e/%2e%2e/internal/events",
        "/api/courses/..%2f..%2finternal%2fevents",
        "/api/unknown",
        "/api",
        "/xapi",
        "/api/usersandmore",
        "/api/safety",
        "/api/retention",
        "/metrics",
        "/docs",
        "/index.html",
        "/Caddyfile",
    ],
)
def test_everything_else_is_not_found(gateway: httpx.Client, path: str) -> None:
    request = gateway.build_request("GET", "/")
    request.url = request.url.copy_with(raw_path=path.encode())
    answer = gateway.send(request)
    assert answer.status_code == 404
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert answer.json()["code"] == "not_found"


def test_a_service_that_is_away_is_a_problem_worth_repeating(gateway: httpx.Client) -> None:
    answer = gateway.post("/api/chat/message", json={})
    assert answer.status_code == 503
    assert int(answer.headers["Retry-After"]) > 0
    problem = answer.json()
    assert problem == {
        "type": "about:blank",
        "title": "Service Unavailable",
        "status": 503,
        "detail": problem["detail"],
        "code": "service_unavailable",
        "request_id": answer.headers["X-Request-ID"],
    }


def test_a_body_beyond_64_mib_is_refused(gateway: httpx.Client) -> None:
    answer = gateway.post("/api/courses/import", content=bytes(64 * 1024 * 1024 + 1))
    assert answer.status_code == 413
    assert answer.json()["code"] == "too_large"


def test_a_harmless_request_id_is_kept_all_the_way(gateway: httpx.Client) -> None:
    answer = gateway.get("/api/users/me", headers={"X-Request-ID": "abc.DEF-1_2"})
    assert answer.headers["X-Request-ID"] == "abc.DEF-1_2"
    assert answer.text.endswith(" abc.DEF-1_2")


@pytest.mark.parametrize(
    ("claimed", "told"),
    [
        (None, "127.0.0.1"),
        ("203.0.113.7", "203.0.113.7"),
        ("198.51.100.1, 203.0.113.7", "203.0.113.7"),  # the first one the client made up itself
        ("198.51.100.1, 203.0.113.7, 10.0.0.2", "203.0.113.7"),
    ],
)
def test_services_are_told_the_clients_own_address(
    gateway: httpx.Client, claimed: str | None, told: str
) -> None:
    answer = gateway.get("/api/users/me", headers={"X-Forwarded-For": claimed} if claimed else {})
    assert answer.text.split()[2] == told


@pytest.mark.parametrize("given", ['"}', "x" * 65, "{env.PATH}", "a b"])
def test_any_other_request_id_is_replaced(gateway: httpx.Client, given: str) -> None:
    answer = gateway.get("/api/unknown", headers={"X-Request-ID": given})
    made = answer.json()["request_id"]
    assert made == answer.headers["X-Request-ID"]
    assert len(made) == 36


@pytest.mark.parametrize("path", ["/", "/health", "/api/users/me", "/api/unknown", "/api/chat/message"])
def test_every_answer_carries_the_security_headers(gateway: httpx.Client, path: str) -> None:
    headers = gateway.get(path).headers
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["X-Frame-Options"] == "DENY"
    assert "default-src 'none'" in headers["Content-Security-Policy"]
    assert "Caddy" not in headers.get("Server", "")


def test_the_welcome_page_names_each_parts_docs(gateway: httpx.Client) -> None:
    page = gateway.get("/", headers={"Host": "learn.example"})
    assert page.headers["Content-Type"] == "text/html; charset=utf-8"
    assert '<html lang="en">' in page.text
    assert page.text.count('/docs">') == len(PARTS)
    assert gateway.get("/welcome.css").status_code == 200


def test_the_gateway_is_healthy_by_itself(gateway: httpx.Client) -> None:
    assert gateway.get("/health").text == "ok"
