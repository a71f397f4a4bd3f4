"""Real HTTP servers for tests: another service's side as the contract says it, or an application."""

import json
import socket
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any

import uvicorn
from fastapi import FastAPI


@dataclass(frozen=True)
class Call:
    """A request that a test's server got; `path` includes the query."""

    method: str
    path: str
    headers: Mapping[str, str]
    body: bytes


Respond = Callable[[Call], tuple[int, Any]]


@contextmanager
def json_server(respond: Respond, port: int = 0) -> Iterator[str]:
    """Answer every call with the status and JSON body that `respond` gives; yields the base URL."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def handle_any(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            status, answer = respond(Call(self.command, self.path, self.headers, body))
            payload = json.dumps(answer).encode() if status != 204 else b""
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(payload)))
            self.end_headers()
            self.wfile.write(payload)

        do_DELETE = do_GET = do_PATCH = do_POST = do_PUT = handle_any

        def log_message(self, *_: object) -> None:
            """Quiet: tests look at the calls."""

    class Server(ThreadingHTTPServer):
        daemon_threads = True

    server = Server(("127.0.0.1", port), Handler)
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


@contextmanager
def serving(app: FastAPI) -> Iterator[str]:
    """The application itself, served by uvicorn in a thread; yields the base URL."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        server = uvicorn.Server(uvicorn.Config(app, log_config=None, access_log=False))
        thread = Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True)
        thread.start()
        while not server.started:
            time.sleep(0.01)
        try:
            yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        finally:
            server.should_exit = True
            thread.join()
