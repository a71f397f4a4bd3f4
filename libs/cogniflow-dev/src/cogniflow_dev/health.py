"""Health checks of services, gateway (HTTP) and workers (heartbeat file)."""

import http.client
import json
import time
from pathlib import Path

from cogniflow_dev.ports import LOOPBACK
from cogniflow_dev.readiness import Check

_HTTP_SECONDS = 5.0
_LONGEST_DETAIL = 200
# Workers touch their file every few seconds; an older file means that the worker hangs or ended.
_OLDEST_HEARTBEAT_SECONDS = 30.0


def http_check(port: int, path: str) -> Check:
    """Healthy if GET on the loopback interface answers 200; otherwise the problem is the answer."""

    def check() -> str | None:
        # The standard library's client, since it is light: checks run often while the stack starts.
        connection = http.client.HTTPConnection(LOOPBACK, port, timeout=_HTTP_SECONDS)
        try:
            connection.request("GET", path)
            answer = connection.getresponse()
            body = answer.read()
        except (OSError, http.client.HTTPException) as error:
            return f"no answer ({error})"
        finally:
            connection.close()
        return None if answer.status == http.HTTPStatus.OK else f"HTTP {answer.status}: {_detail(body)}"

    return check


def heartbeat_check(path: Path) -> Check:
    """Healthy while the file is younger than 30 s."""

    def check() -> str | None:
        try:
            age = time.time() - path.stat().st_mtime
        except FileNotFoundError:
            return "no heartbeat yet"
        return None if age < _OLDEST_HEARTBEAT_SECONDS else f"last heartbeat {age:.0f} s ago"

    return check


def _detail(body: bytes) -> str:
    try:
        problem = json.loads(body)
    except ValueError:
        return body.decode(errors="replace")[:_LONGEST_DETAIL]
    detail = problem.get("detail") if isinstance(problem, dict) else None
    return str(detail or problem)[:_LONGEST_DETAIL]
