"""Health checks of the processes that are no stores: an HTTP answer, or a heartbeat file."""

import time
from pathlib import Path

import httpx

from cogniflow_dev.waiting import Check

_HTTP_SECONDS = 5.0
# A worker touches its file every few seconds; older than this it hangs or is gone.
_OLDEST_HEARTBEAT_SECONDS = 30.0


def http_check(url: str) -> Check:
    """Healthy when GET answers 200; otherwise says what the answer was."""

    def check() -> str | None:
        try:
            # A proxy of the user's environment has no business on the loopback interface.
            answer = httpx.get(url, timeout=_HTTP_SECONDS, trust_env=False)
        except httpx.HTTPError as error:
            return f"no answer ({error})"
        return (
            None if answer.status_code == httpx.codes.OK else f"HTTP {answer.status_code}: {_detail(answer)}"
        )

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


def _detail(answer: httpx.Response) -> str:
    try:
        body = answer.json()
    except ValueError:
        return answer.text[:200]
    return str(body.get("detail") or body)[:200] if isinstance(body, dict) else str(body)[:200]
