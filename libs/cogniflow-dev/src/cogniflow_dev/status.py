"""Health, response time, uptime and memory of the processes of a running stack."""

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
    """The status of one process."""

    name: str
    healthy: bool
    problem: str | None
    pid: int | None
    uptime_seconds: float
    memory_bytes: int
    """Of the process and its descendants; shared pages count proportionally."""
    latency_ms: float | None
    """Duration of its health check; None for workers, which have a heartbeat file instead."""


def check_processes(supervisor: Supervisor) -> list[ProcessStatus]:
    """Check all processes; the supervisor comes first.

    Raises: SupervisorError, if the supervisor doesn't answer.
    """
    plan = processes(supervisor.stack)
    states = supervisor.states()
    # Three at a time: a hanging check must not delay the others, and many would slow each other down.
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
