"""Real HTTP servers for tests: an application, or another service's side as the contract says it."""

import socket
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from threading import Thread
from typing import Any

import uvicorn
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

_METHODS = ["DELETE", "GET", "PATCH", "POST", "PUT"]


@dataclass(frozen=True)
class Call:
    """A request to a test server; `path` is without the query."""

    method: str
    path: str
    query: Mapping[str, str]
    headers: Mapping[str, str]
    body: bytes


Respond = Callable[[Call], tuple[int, Any]]


@contextmanager
def serving(app: Starlette, port: int = 0) -> Iterator[str]:
    """Serve an application on `port` (0: a free one); yields its base URL."""
    with socket.socket() as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(("127.0.0.1", port))
        config = uvicorn.Config(app, log_config=None, access_log=False, timeout_graceful_shutdown=5)
        server = uvicorn.Server(config)
        thread = Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True)
        thread.start()
        while not server.started:
            time.sleep(0.01)
        try:
            yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        finally:
            server.should_exit = True
            thread.join()


@contextmanager
def json_server(respond: Respond, port: int = 0) -> Iterator[str]:
    """Answer each request with the status and JSON body that `respond` returns; yields the base URL."""

    async def answer(request: Request) -> Response:
        body = await request.body()
        call = Call(request.method, request.url.path, request.query_params, request.headers, body)
        status, content = await run_in_threadpool(respond, call)
        return Response(status_code=204) if status == 204 else JSONResponse(content, status)

    with serving(Starlette(routes=[Route("/{path:path}", answer, methods=_METHODS)]), port) as url:
        yield url
