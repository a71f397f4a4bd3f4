"""Named points at which a test can have the process die, as a power cut would end it."""

import os
import signal

POINTS = ("claiming", "claimed", "answered", "completing", "completed")
"""The steps of a turn, in order; `-ing` is before the store has it, `-ed` after."""

OUTAGE_POINTS = ("spooling", "spooled", "replaying", "replayed")
"""Before a turn is flushed to the spool and after; between two replayed turns, and before their file goes."""


def _armed() -> str | None:
    return os.environ.get("CHAT_FAULT") if os.environ.get("COGNIFLOW_ENV") == "test" else None


_ARMED = _armed()


def reach(point: str) -> None:
    """Do nothing, unless a test armed this point: then the process is killed here."""
    if point == _ARMED:
        os.kill(os.getpid(), signal.SIGKILL)
