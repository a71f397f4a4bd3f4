"""Fault points: named steps at which a test makes the process kill itself, to test crashes."""

import os
import signal

POINTS = ("claiming", "claimed", "answered", "completing", "completed")
"""Steps of a turn, in order. `-ing`: before the write to the store, `-ed`: after it."""

OUTAGE_POINTS = ("spooling", "spooled", "replaying", "replayed")
"""Before and after a turn is flushed to the spool; between two replayed turns; before their file goes."""


def _armed() -> str | None:
    return os.environ.get("CHAT_FAULT") if os.environ.get("COGNIFLOW_ENV") == "test" else None


_ARMED = _armed()


def reach(point: str) -> None:
    """Kill this process (SIGKILL) if CHAT_FAULT names this point and COGNIFLOW_ENV is `test`."""
    if point == _ARMED:
        os.kill(os.getpid(), signal.SIGKILL)
