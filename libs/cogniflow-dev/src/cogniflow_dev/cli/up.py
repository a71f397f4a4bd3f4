"""`cogniflow up`: start everything."""

import signal
import time
from contextlib import suppress
from pathlib import Path
from types import FrameType
from typing import Annotated

import typer

from cogniflow_dev.cli.closing import print_closing, print_replaced_ports
from cogniflow_dev.cli.docker import compose_up
from cogniflow_dev.cli.output import console, errors, fail
from cogniflow_dev.cli.progress import StartProgress
from cogniflow_dev.cli.watch import watch
from cogniflow_dev.logs import readable
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
        bool, typer.Option("--detach", "-d", help="Return when all is ready; stop with `down`.")
    ] = False,
    docker: Annotated[
        bool, typer.Option("--docker", help="Use Docker Compose instead of local servers.")
    ] = False,
) -> None:
    """Start the stores, the services, their workers and the gateway.

    Runs until Ctrl-C, or in the background with --detach. When the stack
    runs already it says so and succeeds.
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
        _attend(supervisor)


def _print_ready(stack: Stack, stop_with: str) -> None:
    next_steps = {
        ".venv/bin/cogniflow import-course FILE": "bring an Open edX course (.tar.gz) in",
        ".venv/bin/cogniflow status": "health and memory of every process",
        ".venv/bin/cogniflow logs -f": "what they are doing",
        stop_with: "stop everything; the data stays",
    }
    print_closing(stack.address, stack.demo_logins(), next_steps)


def _start() -> Supervisor | None:
    """Start the stack; None when it runs already. Ends the command when it can't."""
    home = stack_home()
    supervisor = None
    try:
        with start_lock(home):
            if running := find_running(home):
                _say_running(running)
            else:
                with PortReservations() as reservations:
                    supervisor = _start_locked(home, reservations)
    except KeyboardInterrupt:
        fail("Stopped before everything was ready; nothing is left running.", code=130)
    except StartFailure as failure:
        _explain(failure)
    except (
        AlreadyStarting,
        MissingBinary,
        StoreError,
        SupervisorError,
        PermissionError,
        UnusableValue,
    ) as error:
        fail(str(error), "`cogniflow doctor` finds out more.")
    return supervisor


def _start_locked(home: Path, reservations: PortReservations) -> Supervisor:
    with console.status("Preparing data folders"):
        stack, ended = prepare(home, reservations)
    if ended:
        console.print(f"Ended {len(ended)} processes that an earlier run left behind", style="yellow")
    print_replaced_ports(stack)
    plan = processes(stack)
    with StartProgress(total=len(plan)) as progress:
        return start(stack, plan, progress.report)


def _say_running(running: Supervisor) -> None:
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


def _explain(failure: StartFailure) -> None:
    errors.print(f"\n{failure.process} did not start: {failure}", style="bold red", markup=False)
    if failure.log:
        errors.print("The last lines of its log:", style="dim")
        for line in failure.log:
            errors.print(f"  {readable(line)}", markup=False)
    fail(
        "Everything else was stopped again.",
        f"The whole log is {failure.log_file}; `cogniflow doctor` checks this machine.",
    )


def _attend(supervisor: Supervisor) -> None:
    """Stay until Ctrl-C, report processes that stop on their own, and stop everything in the end.

    The terminal may be gone by then: nothing that is printed may keep the stack running.
    """
    began = 0.0
    try:
        _print_ready(supervisor.stack, "Ctrl-C")
        watch(supervisor)
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
    """A closed terminal or a polite kill stops the stack as Ctrl-C does."""

    def interrupt(_signal: int, _frame: FrameType | None) -> None:
        raise KeyboardInterrupt

    for number in _TERMINATIONS:
        signal.signal(number, interrupt)
