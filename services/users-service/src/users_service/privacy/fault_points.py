"""Named points of an erasure where a test can kill the process, as a power failure would."""

import os
import signal

POINTS = (
    "started",
    "ledger-written",
    "account-closed",
    *(
        f"{step}-{part}"
        for part in ("courses", "chat", "analytics", "users")
        for step in ("erased", "stored")
    ),
    "pass-finished",
)
"""The steps of an erasure in order; a point lies right behind its step. `stored`: the receipt."""


def _armed() -> str | None:
    return os.environ.get("USERS_FAULT") if os.environ.get("COGNIFLOW_ENV") == "test" else None


_ARMED = _armed()


def reach(point: str) -> None:
    """Kill the process if a test armed this point; otherwise do nothing."""
    if point == _ARMED:
        os.kill(os.getpid(), signal.SIGKILL)
