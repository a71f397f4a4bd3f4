"""What is done around every request: its id, its limit, its line in the log."""

import json
import re
import socket
from collections.abc import Iterator

import httpx
import pytest
from fastapi import APIRouter, Request
from pydantic import BaseModel

from cogniflow_dev.testing.servers import serving
from cogniflow_kit.context import request_id
from cogniflow_kit.logging import configure_logging

LIMIT = 1000
router = APIRouter()


class Message(BaseModel):
    text: str


@router.post("/typed")
def typed(message: Message) -> int:
    return len(message.text)


@router.post("/raw")
async def raw(request: Request) -> int:
    return len(await request.body())


@router.post("/unread")
def unread() -> str:
    return "not even looked at"


@router.get("/id")
def current() -> str | None:
    return request_id.get()


@router.get("/items/{item_id}")
def item(item_id: int) -> int:
    return item_id


@pytest.fixture
def url(make_app) -> Iterator[str]:
    with serving(make_app(router, max_body_bytes=LIMIT)) as url:
        yield url


def chunks(size: int) -> Iterator[bytes]:
    """A body whose length nobody announces."""
    for start in range(0, size, 100):
        yield b"x" * min(100, size - start)


def assert_too_large(answer: httpx.Response) -> None:
    assert answer.status_code == 413
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["code"] == "too_large"


@pytest.mark.parametrize("path", ["/raw", "/typed", "/unread"])
def test_an_announced_body_over_the_limit_is_refused(url, path):
    assert_too_large(httpx.post(url + path, content=b"x" * (LIMIT + 1)))


@pytest.mark.parametrize("path", ["/raw", "/typed"])
def test_an_unannounced_body_over_the_limit_is_refused(url, path):
    headers = {"Content-Type": "application/json"}
    assert_too_large(httpx.post(url + path, content=chunks(LIMIT + 1), headers=headers))


@pytest.mark.parametrize("content", [b"x" * LIMIT, chunks(LIMIT)])
def test_a_body_at_the_limit_is_taken(url, content):
    answer = httpx.post(f"{url}/raw", content=content)
    assert (answer.status_code, answer.json()) == (200, LIMIT)


@pytest.mark.parametrize("length", ["-1", "1e3", "²", "99999999999999999999999"])
def test_a_senseless_length_does_no_harm(url, length):
    host, port = url.removeprefix("http://").split(":")
    with socket.create_connection((host, int(port)), timeout=5) as connection:
        head = f"POST /raw HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: {length}\r\n\r\n"
        connection.sendall(head.encode())
        status = connection.recv(65536).split(b" ")[1]
    assert status in (b"400", b"413")
    assert httpx.get(f"{url}/id").status_code == 200


@pytest.mark.parametrize("given", ["abc-123", "A.b_c", "x" * 64])
def test_a_harmless_request_id_is_kept(url, given):
    answer = httpx.get(f"{url}/id", headers={"X-Request-ID": given})
    assert answer.headers["x-request-id"] == given
    assert answer.json() == given


@pytest.mark.parametrize("given", ["", "x" * 65, "a b", "a;b", '{"a":1}', "ümlaut".encode()])
def test_any_other_request_id_is_replaced(url, given):
    answer = httpx.get(f"{url}/id", headers={"X-Request-ID": given})
    assert re.fullmatch(r"[0-9a-f-]{36}", answer.headers["x-request-id"])
    assert answer.json() == answer.headers["x-request-id"]


def test_each_request_has_an_id_of_its_own(url):
    ids = {httpx.get(f"{url}/id").headers["x-request-id"] for _ in range(3)}
    assert len(ids) == 3


def test_refusals_carry_the_id_too(url):
    answer = httpx.post(f"{url}/raw", content=b"x" * 2000, headers={"X-Request-ID": "big-one"})
    assert answer.headers["x-request-id"] == "big-one"
    assert answer.json()["request_id"] == "big-one"


def test_requests_are_counted_by_route_and_not_by_address(url):
    for item_id in (1, 2, 3):
        httpx.get(f"{url}/items/{item_id}")
    httpx.get(f"{url}/somewhere/else/{'x' * 50}")
    metrics = httpx.get(f"{url}/metrics").text
    assert 'http_requests_total{method="GET",route="/items/{item_id}",status="200"} 3.0' in metrics
    assert 'route="unmatched",status="404"' in metrics
    assert "somewhere" not in metrics
    assert 'http_request_duration_seconds_count{method="GET",route="/items/{item_id}"} 3.0' in metrics


def logged(capsys) -> list[dict]:
    return [json.loads(line) for line in capsys.readouterr().out.splitlines() if line.startswith("{")]


def test_a_request_is_one_line_without_its_words(capsys, make_client):
    client = make_client(router)
    configure_logging("kit-service", "INFO")
    client.post(
        "/typed?token=hunter2",
        json={"text": "what somebody wrote"},
        headers={"Authorization": "Bearer hunter2", "X-Request-ID": "line"},
    )
    client.get("/health/live")
    [line] = [entry for entry in logged(capsys) if entry["event"] == "request"]
    assert line["method"] == "POST"
    assert line["path"] == "/typed"
    assert line["status"] == 200
    assert line["request_id"] == "line"
    assert line["service"] == "kit-service"
    assert isinstance(line["ms"], float)
    assert "hunter2" not in str(line)
    assert "wrote" not in str(line)
