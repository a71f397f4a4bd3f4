"""ASGI middleware of every service: request id, body limit, metrics, log line.

Pure ASGI, because Starlette's `BaseHTTPMiddleware` costs 190 µs per request.
"""

import time
from collections.abc import Iterable, Mapping
from functools import lru_cache

import structlog
from prometheus_client import Counter, Histogram
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from cogniflow_kit.context import REQUEST_ID_HEADER, accept_request_id, request_id
from cogniflow_kit.errors import problem_response
from cogniflow_kit.logging import log_request

log = structlog.stdlib.get_logger(__name__)

REQUESTS = Counter("http_requests_total", "Requests served.", ["method", "route", "status"])
LATENCY = Histogram("http_request_duration_seconds", "Time to the last byte.", ["method", "route"])
_QUIET = frozenset({"/health/live", "/health/ready", "/internal/verification", "/metrics"})
_REQUEST_ID = REQUEST_ID_HEADER.lower().encode()


class RequestContext:
    """Gives each request an id, limits its body, counts and logs it."""

    def __init__(self, app: ASGIApp, *, max_body_bytes: int, uploads: Mapping[str, int]) -> None:
        self._app = app
        self._max_body_bytes = max_body_bytes
        self._uploads = uploads

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        limit = self._uploads.get(scope["path"], self._max_body_bytes)
        request = _Request(scope, receive, send, limit)
        token = request_id.set(request.id)
        try:
            await request.run(self._app)
        finally:
            request.report()
            request_id.reset(token)


class _Request:
    """One request in progress: its id, and the bytes received and the status sent so far."""

    def __init__(self, scope: Scope, receive: Receive, send: Send, max_body_bytes: int) -> None:
        given, self._announced = _id_and_length(scope["headers"])
        self.id = accept_request_id(given)
        self._scope, self._receive, self._send = scope, receive, send
        self._limit = max_body_bytes
        self._received = 0
        self._status: int | None = None
        self._started = time.perf_counter()
        scope.setdefault("state", {})["request_id"] = self.id

    async def run(self, app: ASGIApp) -> None:
        if self._announced.isdecimal() and int(self._announced) > self._limit:
            await self._refuse(413, "too_large", f"The body is larger than {self._limit} bytes.")
            return
        try:
            await app(self._scope, self.receive, self.send)
        except Exception:
            # A bug: everything that a caller can cause has an error class.
            log.exception("request failed", method=self._scope["method"], path=self._scope["path"])
            if self._status is None:
                await self._refuse(
                    500, "internal_error", "Something broke here; the log has it by request id."
                )

    async def _refuse(self, status: int, code: str, detail: str) -> None:
        response = problem_response(self.id, status, code, detail)
        await response(self._scope, self._receive, self.send)

    async def receive(self) -> Message:
        message = await self._receive()
        self._received += len(message.get("body", b""))
        if self._received > self._limit:
            raise HTTPException(413, f"The body is larger than {self._limit} bytes.")
        return message

    async def send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self._status = message["status"]
            message["headers"] = [*message.get("headers", ()), (_REQUEST_ID, self.id.encode())]
        await self._send(message)

    def report(self) -> None:
        method, status = self._scope["method"], self._status or 499
        route = getattr(self._scope.get("route"), "path", "unmatched")
        seconds = time.perf_counter() - self._started
        count, latency = _metrics(method, route, status)
        count.inc()
        latency.observe(seconds)
        path = self._scope["path"]
        if path not in _QUIET:
            log_request(self.id, method, path, status, seconds)


def _id_and_length(headers: Iterable[tuple[bytes, bytes]]) -> tuple[str | None, str]:
    """The first `X-Request-ID`, and the first `Content-Length` or "0"."""
    given: str | None = None
    length: str | None = None
    for name, value in headers:
        if given is None and name == _REQUEST_ID:
            given = value.decode("latin-1")
        elif length is None and name == b"content-length":
            length = value.decode("latin-1")
    return given, "0" if length is None else length


# Bounded, because callers can invent methods.
@lru_cache(maxsize=1024)
def _metrics(method: str, route: str, status: int) -> tuple[Counter, Histogram]:
    return REQUESTS.labels(method, route, status), LATENCY.labels(method, route)
