"""Operating system processes, identified by process id and start time, because ids are reused."""

import os
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Self

import psutil

# Start times are computed from the system clock, which may be adjusted meanwhile.
_CLOCK_SECONDS = 2.0

# After SIGKILL, the kernel still needs time to release memory.
_KILL_SECONDS = 10.0


@dataclass(frozen=True)
class ProcessIdentity:
    """A process id with the start time (Unix time, s), which together are unique."""

    pid: int
    created: float

    @classmethod
    def of(cls, pid: int) -> Self:
        """The identity of a running process; raises psutil.NoSuchProcess."""
        return cls(pid, psutil.Process(pid).create_time())

    def find(self) -> psutil.Process | None:
        """The process if it is still running, else None."""
        with suppress(psutil.NoSuchProcess):
            process = psutil.Process(self.pid)
            if abs(process.create_time() - self.created) < _CLOCK_SECONDS and not _is_zombie(process):
                return process
        return None


def session_members(leader: ProcessIdentity, folder: Path) -> Iterator[psutil.Process]:
    """The processes of the session that `leader` started, even if the leader has ended.

    The kernel doesn't reuse the id of a session that has members. In the rare
    case that the id was free and is reused, the check that each process works
    inside `folder` excludes strangers.
    """
    for process in psutil.process_iter():
        with suppress(psutil.Error, OSError):
            if (
                os.getsid(process.pid) == leader.pid
                and process.create_time() > leader.created - _CLOCK_SECONDS
                and not _is_zombie(process)
                and (process.pid == leader.pid or Path(process.cwd()).is_relative_to(folder))
            ):
                yield process


def end(processes: list[psutil.Process], patience: float) -> None:
    """Terminate the processes, and kill those still running after `patience` seconds."""
    for process in processes:
        with suppress(psutil.NoSuchProcess):
            process.terminate()
    _, stubborn = psutil.wait_procs(processes, timeout=patience)
    for process in stubborn:
        with suppress(psutil.NoSuchProcess):
            process.kill()
    psutil.wait_procs(stubborn, timeout=_KILL_SECONDS)


def memory_bytes(process: psutil.Process, with_descendants: bool = True) -> int:
    """Memory of a process and its descendants: proportional set size, which counts shared pages once.

    On systems without it: resident set size.
    """
    total = 0
    descendants = process.children(recursive=True) if with_descendants else []
    for member in [process, *descendants]:
        with suppress(psutil.Error):
            full = member.memory_full_info()
            total += getattr(full, "pss", 0) or full.rss
    return total


def _is_zombie(process: psutil.Process) -> bool:
    return bool(process.status() == psutil.STATUS_ZOMBIE)
