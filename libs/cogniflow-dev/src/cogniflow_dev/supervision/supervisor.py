"""Starting, asking and stopping the supervisor of one stack."""

import http.client
import signal
import subprocess
import sys
import xmlrpc.client
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import psutil
from supervisor.xmlrpc import SupervisorTransport

from cogniflow_dev.processes import ProcessIdentity, end, session_members
from cogniflow_dev.secrets import write_private
from cogniflow_dev.stack import Stack
from cogniflow_dev.supervision.config import (
    config_path,
    group_of,
    make_socket_folder,
    remove_socket,
    render,
    socket_path,
)
from cogniflow_dev.topology import Process
from cogniflow_dev.waiting import NotReady, wait_until_ready

_START_SECONDS = 15.0
_ORPHAN_SECONDS = 10.0
_ALIVE = frozenset({"STARTING", "RUNNING", "STOPPING"})


class SupervisorError(RuntimeError):
    """The supervisor did not start, or refused what it was asked."""


@dataclass(frozen=True)
class ProcessState:
    """What the supervisor knows of a process."""

    name: str
    state: str
    """supervisord's word: STOPPED, STARTING, RUNNING, BACKOFF, STOPPING, EXITED, FATAL."""
    pid: int | None
    uptime_seconds: float
    note: str

    @property
    def alive(self) -> bool:
        return self.state in _ALIVE


class Supervisor:
    """A supervisor that runs."""

    def __init__(self, stack: Stack, identity: ProcessIdentity) -> None:
        self.stack = stack
        self.identity = identity

    @classmethod
    def start(cls, stack: Stack, processes: Sequence[Process]) -> "Supervisor":
        """Start supervisord with every process still stopped; raises SupervisorError."""
        config = render(stack, processes)
        for folder in (stack.run_folder, stack.log_folder):
            folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        write_private(config_path(stack), config)
        make_socket_folder(socket_path(stack.home))
        output = stack.log("supervisord")
        with output.open("ab") as file:
            child = subprocess.Popen(
                [sys.executable, "-m", "supervisor.supervisord", "--configuration", str(config_path(stack))],
                stdin=subprocess.DEVNULL,
                stdout=file,
                stderr=file,
                cwd=stack.run_folder,
                # Its own session, so that Ctrl-C reaches only the command, which then stops all in order.
                start_new_session=True,
            )
        started = cls(stack, ProcessIdentity.of(child.pid))
        try:
            wait_until_ready("supervisord", started._problem, _START_SECONDS, lambda: child.poll() is None)
        except BaseException as error:
            clean_up(stack, started.identity)
            if isinstance(error, NotReady):
                raise SupervisorError(f"{error}; its log is {output}") from error
            raise
        return started

    def answers(self) -> bool:
        """Whether it takes requests, as it does from shortly after its start until it is told to stop."""
        with suppress(OSError, http.client.HTTPException, xmlrpc.client.Error):
            return bool(self._rpc().supervisor.getState()["statename"] == "RUNNING")
        return False

    def _problem(self) -> str | None:
        return None if self.answers() else "no answer"

    def start_process(self, process: Process) -> None:
        """Start one process, without waiting for it; raises SupervisorError."""
        if process.heartbeat:
            process.heartbeat.unlink(missing_ok=True)  # of an earlier process, it would pass for this one's
        self._command("startProcess", process)

    def stop_process(self, process: Process) -> None:
        """Tell one process to stop in its own way, and leave it so, without waiting for it."""
        self._command("stopProcess", process)

    def restart_process(self, process: Process) -> None:
        """Stop one process in its own way and start it again, without waiting for it to be ready."""
        with suppress(SupervisorError):  # it may be stopped already
            self._command("stopProcess", process, wait=True)
        self.start_process(process)

    def states(self) -> dict[str, ProcessState]:
        """Every process by its name; raises SupervisorError when the supervisor does not answer."""
        try:
            answer = self._rpc().supervisor.getAllProcessInfo()
        except xmlrpc.client.Fault as fault:
            raise SupervisorError(f"the supervisor refused: {fault.faultString}") from fault
        except (OSError, http.client.HTTPException) as error:
            raise SupervisorError(f"the supervisor does not answer: {error}") from error
        return {info["name"]: _state(info) for info in answer}

    def identity_of(self, process: Process) -> ProcessIdentity | None:
        """The process as it runs now, to tell it from a later attempt; None when it has ended already."""
        pid = self.states()[process.name].pid
        with suppress(psutil.NoSuchProcess):
            return ProcessIdentity.of(pid) if pid else None
        return None

    def stop(self, patience: float) -> None:
        """Stop every process, gateway and workers first, stores last, then the supervisor; kill what remains.

        `patience` is in seconds, for all of it.
        """
        running = self.identity.find()
        if running:
            with suppress(psutil.NoSuchProcess):
                running.send_signal(signal.SIGTERM)
            with suppress(psutil.TimeoutExpired):
                running.wait(patience)
        clean_up(self.stack, self.identity, patience=0)

    def _command(self, method: str, process: Process, wait: bool = False) -> None:
        try:
            getattr(self._rpc().supervisor, method)(f"{group_of(process)}:{process.name}", wait)
        except xmlrpc.client.Fault as fault:
            raise SupervisorError(f"{process.name}: {fault.faultString}") from fault
        except (OSError, http.client.HTTPException) as error:
            raise SupervisorError(f"the supervisor does not answer: {error}") from error

    def _rpc(self) -> Any:
        # One for each request: it is not safe to share between threads.
        transport = SupervisorTransport(serverurl=f"unix://{socket_path(self.stack.home)}")
        return xmlrpc.client.ServerProxy("http://127.0.0.1", transport=transport)


def clean_up(stack: Stack, identity: ProcessIdentity, patience: float = _ORPHAN_SECONDS) -> list[int]:
    """End what a supervisor left behind and remove its socket; returns the ids of the ended processes.

    They have `patience` seconds to end by themselves before they are killed.
    """
    left = list(session_members(identity, stack.home))
    if left:
        end(left, patience)
    remove_socket(socket_path(stack.home), stack.home)
    (stack.run_folder / "supervisord.pid").unlink(missing_ok=True)
    return [process.pid for process in left]


def _state(info: dict[str, Any]) -> ProcessState:
    return ProcessState(
        name=info["name"],
        state=info["statename"],
        pid=info["pid"] or None,
        uptime_seconds=float(info["now"] - info["start"]) if info["pid"] else 0.0,
        note=info["spawnerr"] or info["description"],
    )
