"""Starts, queries and stops the supervisor of one stack."""

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
from cogniflow_dev.readiness import NotReady, wait_until_ready
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

_START_SECONDS = 15.0
_ORPHAN_SECONDS = 10.0
_ALIVE = frozenset({"STARTING", "RUNNING", "STOPPING"})


class SupervisorError(RuntimeError):
    """The supervisor did not start, or refused a request."""


@dataclass(frozen=True)
class ProcessState:
    """The state of a process according to supervisord."""

    name: str
    state: str
    """One of STOPPED, STARTING, RUNNING, BACKOFF, STOPPING, EXITED, FATAL."""
    pid: int | None
    uptime_seconds: float
    note: str

    @property
    def alive(self) -> bool:
        return self.state in _ALIVE


class Supervisor:
    """A running supervisor."""

    def __init__(self, stack: Stack, identity: ProcessIdentity) -> None:
        self.stack = stack
        self.identity = identity

    @classmethod
    def start(cls, stack: Stack, processes: Sequence[Process]) -> "Supervisor":
        """Start supervisord with all processes stopped. Raises: SupervisorError."""
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
                # A session of its own, so that Ctrl-C only reaches the command, which stops all in order.
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
        """Whether it accepts requests; False while it is starting or stopping."""
        with suppress(OSError, http.client.HTTPException, xmlrpc.client.Error):
            return bool(self._rpc().supervisor.getState()["statename"] == "RUNNING")
        return False

    def _problem(self) -> str | None:
        return None if self.answers() else "no answer"

    def start_process(self, process: Process) -> None:
        """Start one process without waiting for it. Raises: SupervisorError."""
        if process.heartbeat:
            process.heartbeat.unlink(
                missing_ok=True
            )  # the file of an earlier process would count as this one's
        self._command("startProcess", process)

    def stop_process(self, process: Process) -> None:
        """Stop one process gracefully, without waiting for it; it is not restarted."""
        self._command("stopProcess", process)

    def restart_process(self, process: Process) -> None:
        """Stop one process gracefully and start it again, without waiting until it is ready."""
        with suppress(SupervisorError):  # it may be stopped already
            self._command("stopProcess", process, wait=True)
        self.start_process(process)

    def states(self) -> dict[str, ProcessState]:
        """States by process name. Raises: SupervisorError, if the supervisor doesn't answer."""
        try:
            answer = self._rpc().supervisor.getAllProcessInfo()
        except xmlrpc.client.Fault as fault:
            raise SupervisorError(f"the supervisor refused: {fault.faultString}") from fault
        except (OSError, http.client.HTTPException) as error:
            raise SupervisorError(f"the supervisor does not answer: {error}") from error
        return {info["name"]: _state(info) for info in answer}

    def identity_of(self, process: Process) -> ProcessIdentity | None:
        """The identity of the running process, which a restart changes; None if it has ended."""
        pid = self.states()[process.name].pid
        with suppress(psutil.NoSuchProcess):
            return ProcessIdentity.of(pid) if pid else None
        return None

    def stop(self, patience: float) -> None:
        """Stop all processes (gateway and workers first, stores last) and the supervisor.

        What is still running after `patience` seconds is killed.
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
        # One per request, since it is not thread-safe.
        transport = SupervisorTransport(serverurl=f"unix://{socket_path(self.stack.home)}")
        return xmlrpc.client.ServerProxy("http://127.0.0.1", transport=transport)


def clean_up(stack: Stack, identity: ProcessIdentity, patience: float = _ORPHAN_SECONDS) -> list[int]:
    """End the processes that a supervisor left running, and remove its socket; returns their ids.

    After SIGTERM they have `patience` seconds before they are killed.
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
