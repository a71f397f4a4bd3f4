"""Starts and stops a stack; processes start in the order of their dependencies."""

import fcntl
import os
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from contextlib import contextmanager
from graphlib import TopologicalSorter
from pathlib import Path

from cogniflow_dev.logs import last_lines, size_bytes
from cogniflow_dev.ports import PortReservations
from cogniflow_dev.readiness import NotReady, wait_until_ready
from cogniflow_dev.secrets import Secrets
from cogniflow_dev.stack import Stack
from cogniflow_dev.state import State, choose_ports
from cogniflow_dev.stores import StoreError
from cogniflow_dev.supervision import Supervisor, SupervisorError
from cogniflow_dev.supervision.supervisor import clean_up
from cogniflow_dev.topology import Process

_READY_SECONDS = 90.0
_QUOTED_LINES = 20

# Called with the name of a process and its state: "starting", then "ready".
OnProgress = Callable[[str, str], None]


class StartFailure(RuntimeError):
    """A process could not be started; `log` holds the last lines that it wrote."""

    def __init__(self, process: str, reason: str, log_file: Path, log_start: int) -> None:
        super().__init__(reason)
        self.process = process
        self.log_file = log_file
        self.log = last_lines(log_file, _QUOTED_LINES, log_start)


class AlreadyStarting(RuntimeError):
    """Another command is starting this stack."""


@contextmanager
def start_lock(home: Path) -> Iterator[None]:
    """Hold this while starting a stack, so that only one command starts it.

    Raises: AlreadyStarting; PermissionError, if the folder belongs to another user.
    """
    home.mkdir(parents=True, exist_ok=True, mode=0o700)
    if home.stat().st_uid != os.geteuid():
        raise PermissionError(
            f"{home} belongs to another user; start the stack as that user, or set COGNIFLOW_HOME"
        )
    home.chmod(0o700)  # another tool may have created it with wider permissions
    with (home / "start.lock").open("w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise AlreadyStarting(f"another command is starting the stack in {home} right now") from error
        yield


def find_running(home: Path) -> Supervisor | None:
    """The supervisor of the stack in `home`; None if it isn't running."""
    state = State.load(home)
    if state.supervisor is None or state.supervisor.find() is None:
        return None
    return Supervisor(load_stack(home, state), state.supervisor)


def load_stack(home: Path, state: State) -> Stack:
    return Stack(home, state.ports, Secrets.load_or_create(home / "secrets.json"))


def prepare(home: Path, reservations: PortReservations) -> tuple[Stack, list[int]]:
    """Create secrets and data folders, choose ports, and clean up after a crash.

    Keep `reservations` until the stack has started. Returns the stack, and
    the ids of ended processes of an earlier run.
    """
    ended = clean_up_after_crash(home)
    state = State(choose_ports(State.load(home).ports, reservations))
    state.save(home)
    stack = load_stack(home, state)
    for server in stack.stores.servers():
        server.prepare()
    return stack, ended


def clean_up_after_crash(home: Path) -> list[int]:
    """End the processes of a supervisor that was killed, and return their ids."""
    state = State.load(home)
    if state.supervisor is None:
        return []
    ended = clean_up(load_stack(home, state), state.supervisor)
    State(state.ports).save(home)
    return ended


def start(stack: Stack, processes: Sequence[Process], on_progress: OnProgress) -> Supervisor:
    """Start the supervisor and the processes, each after its dependencies; returns when all are healthy.

    Raises: StartFailure or SupervisorError, after stopping everything.
    """
    plan = {process.name: process for process in processes}
    supervisor = Supervisor.start(stack, processes)
    try:
        State(stack.ports, supervisor.identity).save(stack.home)
        _start_in_order(supervisor, plan, on_progress)
    except BaseException:
        stop(supervisor)
        raise
    return supervisor


def stop(supervisor: Supervisor, patience: float = 120.0) -> None:
    """Stop everything and update state.json; kill what is still running after `patience` seconds."""
    supervisor.stop(patience)
    State(supervisor.stack.ports).save(supervisor.stack.home)


def _start_in_order(supervisor: Supervisor, plan: dict[str, Process], on_progress: OnProgress) -> None:
    order = TopologicalSorter({name: process.after for name, process in plan.items()})
    order.prepare()
    cancelled = threading.Event()
    started: dict[Future[None], str] = {}
    with ThreadPoolExecutor(max_workers=len(plan)) as pool:
        try:
            while order.is_active():
                for name in order.get_ready():
                    on_progress(name, "starting")
                    started[pool.submit(_start_process, supervisor, plan[name], cancelled)] = name
                finished, _ = wait(started, return_when=FIRST_COMPLETED)
                for future in finished:
                    name = started.pop(future)
                    future.result()
                    on_progress(name, "ready")
                    order.done(name)
        except BaseException:
            cancelled.set()
            raise


def _start_process(supervisor: Supervisor, process: Process, cancelled: threading.Event) -> None:
    """Start one process, wait until it is healthy; a store is then provisioned."""
    log = supervisor.stack.log(process.name)
    log_start = size_bytes(log)
    try:
        supervisor.start_process(process)
        first = supervisor.identity_of(process)
        wait_until_ready(
            process.name,
            process.check,
            _READY_SECONDS,
            # The supervisor restarts a process that ends at once; during startup that is a failure.
            still_running=lambda: first is not None and first.find() is not None and not cancelled.is_set(),
        )
        if process.store:
            process.store.provision()
    except (NotReady, StoreError, SupervisorError) as error:
        raise StartFailure(process.name, str(error), log, log_start) from error
