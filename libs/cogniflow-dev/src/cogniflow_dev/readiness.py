"""Waiting for a server: ask it until it answers, its process is gone, or the time is up."""

import time
from collections.abc import Callable

# Asks once. None means healthy; a text says what is wrong.
Check = Callable[[], str | None]

_POLL_SECONDS = 0.1


class NotReady(RuntimeError):
    """A server did not answer in time, or its process ended before it did."""


def wait_until_ready(name: str, check: Check, timeout: float, still_running: Callable[[], bool]) -> None:
    """Return when `check` finds nothing wrong.

    Raises NotReady after `timeout` seconds, or as soon as `still_running` says that the process is gone.
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
