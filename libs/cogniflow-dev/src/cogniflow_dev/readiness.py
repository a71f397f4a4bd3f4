"""Waits until a server is ready."""

import time
from collections.abc import Callable

# A health check: None means healthy, a text describes the problem.
Check = Callable[[], str | None]

_POLL_SECONDS = 0.1


class NotReady(RuntimeError):
    """A server did not answer in time, or its process ended before it did."""


def wait_until_ready(name: str, check: Check, timeout: float, still_running: Callable[[], bool]) -> None:
    """Poll `check` until it returns None.

    Raises: NotReady, after `timeout` seconds or as soon as `still_running` returns False.
    """
    deadline = time.monotonic() + timeout
    while True:
        problem = check()
        if not still_running():
            raise NotReady(f"{name} stopped while starting")
        if problem is None:
            return
        if time.monotonic() > deadline:
            raise NotReady(f"{name} was not ready within {timeout:.0f} s: {problem}")
        time.sleep(_POLL_SECONDS)
