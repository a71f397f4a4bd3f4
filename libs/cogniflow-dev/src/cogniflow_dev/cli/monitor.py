"""Monitors a running stack for processes that stop on their own."""

import time

from cogniflow_dev.cli.terminal import console
from cogniflow_dev.supervision import ProcessState, Supervisor, SupervisorError

_POLL_SECONDS = 1.0


def monitor(supervisor: Supervisor) -> None:
    """Print restarts and failures as they happen; returns when the supervisor has ended."""
    known = supervisor.states()
    while supervisor.identity.find():
        time.sleep(_POLL_SECONDS)
        try:
            current = supervisor.states()
        except SupervisorError:
            continue  # it is stopping
        for name, state in current.items():
            _report(known[name], state)
        known = current


def _report(before: ProcessState, now: ProcessState) -> None:
    if now.state == "FATAL" != before.state:
        console.print(
            f"{now.name} keeps failing and is not restarted any more: cogniflow logs {now.name}",
            style="bold red",
        )
    elif now.pid and before.pid and now.pid != before.pid:
        console.print(f"{now.name} stopped and was started again: cogniflow logs {now.name}", style="yellow")
    elif before.alive and not now.alive:
        console.print(f"{now.name} stopped: cogniflow logs {now.name}", style="yellow")
