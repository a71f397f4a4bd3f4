"""How a running stack is: each process's health, answer time, age and memory."""

import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass

import psutil

from cogniflow_dev.processes import memory_bytes
from cogniflow_dev.supervision import ProcessState, Supervisor
from cogniflow_dev.topology import Process, processes


@dataclass(frozen=True)
class ProcessStatus:
    """One process at one moment."""

    name: str
    healthy: bool
    problem: str | None
    pid: int | None
    uptime_seconds: float
    memory_bytes: int
    """Of the process and its descendants; the parts of shared pages that are theirs."""
    latency_ms: float | None
    """How long its health check took; none for workers, which are judged by a file."""


def survey(supervisor: Supervisor) -> list[ProcessStatus]:
    """Check every process; the supervisor itself comes first.

    Raises SupervisorError when the supervisor does not answer.
    """
    plan = processes(supervisor.stack)
    states = supervisor.states()
    # A few at a time: one that hangs must not hold up the others, and all at once would slow each other down.
    with ThreadPoolExecutor(max_workers=3) as pool:
        checked = list(pool.map(lambda process: _examine(process, states[process.name]), plan))
    return [_supervisor_status(supervisor), *checked]


def total_memory(statuses: Sequence[ProcessStatus]) -> int:
    """Bytes of all processes together."""
    return sum(status.memory_bytes for status in statuses)


def _examine(process: Process, state: ProcessState) -> ProcessStatus:
    began = time.perf_counter()
    problem = process.check() if state.alive else f"{state.state.lower()}: {state.note}"
    elapsed_ms = (time.perf_counter() - began) * 1000
    answered = problem is None and process.heartbeat is None
    return ProcessStatus(
        name=process.name,
        healthy=problem is None,
        problem=problem,
        pid=state.pid,
        uptime_seconds=state.uptime_seconds,
        memory_bytes=_memory(state.pid),
        latency_ms=round(elapsed_ms, 1) if answered else None,
    )


def _supervisor_status(supervisor: Supervisor) -> ProcessStatus:
    identity = supervisor.identity
    own_memory = memory_bytes(psutil.Process(identity.pid), with_descendants=False)
    return ProcessStatus(
        "supervisord", True, None, identity.pid, time.time() - identity.created, own_memory, None
    )


def _memory(pid: int | None) -> int:
    with suppress(psutil.NoSuchProcess):
        return memory_bytes(psutil.Process(pid)) if pid else 0
    return 0
