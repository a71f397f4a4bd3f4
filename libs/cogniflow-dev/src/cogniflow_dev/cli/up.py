"""`cogniflow up`: starts the stack."""

import signal
import time
from contextlib import suppress
from pathlib import Path
from types import FrameType
from typing import Annotated

import typer

from cogniflow_dev.cli.docker import compose_up
from cogniflow_dev.cli.monitor import monitor
from cogniflow_dev.cli.next_steps import print_next_steps, print_replaced_ports
from cogniflow_dev.cli.start_progress import StartProgress
from cogniflow_dev.cli.terminal import console, errors, fail
from cogniflow_dev.logs import format_line
from cogniflow_dev.paths import stack_home
from cogniflow_dev.ports import PortReservations
from cogniflow_dev.stack import Stack
from cogniflow_dev.startup import (
    AlreadyStarting,
    StartFailure,
    find_running,
    prepare,
    start,
    start_lock,
    stop,
)
from cogniflow_dev.stores import StoreError
from cogniflow_dev.stores.binaries import MissingBinary
from cogniflow_dev.supervision import Supervisor, SupervisorError
from cogniflow_dev.supervision.config import UnusableValue
from cogniflow_dev.topology import processes

_TERMINATIONS = (signal.SIGTERM, signal.SIGHUP)


def up(
    detach: Annotated[
        bool,
        typer.Option("--detach", "-d", help="Return when everything is ready; stop with `cogniflow down`."),
    ] = False,
    docker: Annotated[
        bool, typer.Option("--docker", help="Use Docker Compose instead of local servers.")
    ] = False,
) -> None:
    """Start the stores, the services, their workers and the gateway.

    Runs until Ctrl-C, or in the background with --detach. Does nothing if
    the stack is already running.
    """
    if docker:
        compose_up()
        return
    _treat_termination_as_interrupt()
    supervisor = _start()
    if supervisor is None:
        return
    if detach:
        _print_ready(supervisor.stack, "./scripts/down")
    else:
        _run_until_interrupted(supervisor)


def _print_ready(stack: Stack, stop_with: str) -> None:
    next_steps = {
        ".venv/bin/cogniflow import-course FILE": "import an Open edX course (.tar.gz)",
        ".venv/bin/cogniflow status": "health and memory of every process",
        ".venv/bin/cogniflow logs -f": "what they are doing",
        stop_with: "stop everything; the data stays",
    }
    print_next_steps(stack.address, stack.demo_logins(), next_steps)


def _start() -> Supervisor | None:
    """Start the stack; returns None if it is already running. Ends the command if the start fails."""
    home = stack_home()
    supervisor = None
    try:
        with start_lock(home):
            if running := find_running(home):
                _print_already_running(running)
            else:
                with PortReservations() as reservations:
                    supervisor = _start_locked(home, reservations)
    except KeyboardInterrupt:
        fail("Stopped before everything was ready; nothing is left running.", code=130)
    except StartFailure as failure:
        _fail_with_log(failure)
    except (
        AlreadyStarting,
        MissingBinary,
        StoreError,
        SupervisorError,
        PermissionError,
        UnusableValue,
    ) as error:
        fail(str(error), "`cogniflow doctor` checks this machine.")
    return supervisor


def _start_locked(home: Path, reservations: PortReservations) -> Supervisor:
    with console.status("Preparing data folders"):
        stack, ended = prepare(home, reservations)
    if ended:
        console.print(f"Ended {len(ended)} processes that an earlier run had left running", style="yellow")
    print_replaced_ports(stack)
    plan = processes(stack)
    with StartProgress(total=len(plan)) as progress:
        return start(stack, plan, progress.report)


def _print_already_running(running: Supervisor) -> None:
    if not running.answers():
        fail(
            f"CogniFlow is stopping, or its supervisor (process {running.identity.pid}) hangs.",
            "Wait a moment, or end it with ./scripts/down, and try again.",
        )
    place = f"{running.stack.address}/ (supervisor process {running.identity.pid})"
    console.print(f"CogniFlow is already running at {place}")
    console.print(
        "`cogniflow status` shows its health, `cogniflow info` the logins, `cogniflow down` stops it."
    )


def _fail_with_log(failure: StartFailure) -> None:
    errors.print(f"\n{failure.process} did not start: {failure}", style="bold red", markup=False)
    if failure.log:
        errors.print("The last lines of its log:", style="dim")
        for line in failure.log:
            errors.print(f"  {format_line(line)}", markup=False)
    fail(
        "Everything else was stopped again.",
        f"The whole log is {failure.log_file}; `cogniflow doctor` checks this machine.",
    )


def _run_until_interrupted(supervisor: Supervisor) -> None:
    """Monitor the stack until Ctrl-C, then stop everything.

    Output errors are ignored while stopping, since the terminal may be closed.
    """
    began = 0.0
    try:
        _print_ready(supervisor.stack, "Ctrl-C")
        monitor(supervisor)
        console.print("CogniFlow was stopped by another command.")
    except KeyboardInterrupt:
        began = time.monotonic()
        with suppress(OSError):
            console.print("Stopping; data is being written to disk")
    finally:
        # A second Ctrl-C changes nothing.
        for number in (signal.SIGINT, *_TERMINATIONS):
            signal.signal(number, signal.SIG_IGN)
        stop(supervisor)
    if began:
        with suppress(OSError):
            console.print(f"Everything stopped ({time.monotonic() - began:.0f} s).")


def _treat_termination_as_interrupt() -> None:
    """Let SIGTERM and SIGHUP stop the stack like Ctrl-C."""

    def interrupt(_signal: int, _frame: FrameType | None) -> None:
        raise KeyboardInterrupt

    for number in _TERMINATIONS:
        signal.signal(number, interrupt)
