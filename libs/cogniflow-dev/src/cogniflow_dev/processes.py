"""Operating system processes, told apart from later ones that were given the same number."""

import os
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Self

import psutil

# The clock that start times are computed from may be corrected in between.
_CLOCK_SECONDS = 2.0

# A killed process is gone as soon as the kernel has put its memory away.
_KILL_SECONDS = 10.0


@dataclass(frozen=True)
class ProcessIdentity:
    """A process id together with when that process began (Unix time, s): no other process ever has both."""

    pid: int
    created: float

    @classmethod
    def of(cls, pid: int) -> Self:
        """The identity of a running process; raises psutil.NoSuchProcess."""
        return cls(pid, psutil.Process(pid).create_time())

    def find(self) -> psutil.Process | None:
        """The process when it still runs, else None."""
        with suppress(psutil.NoSuchProcess):
            process = psutil.Process(self.pid)
            if abs(process.create_time() - self.created) < _CLOCK_SECONDS and not _is_zombie(process):
                return process
        return None


def session_members(leader: ProcessIdentity, folder: Path) -> Iterator[psutil.Process]:
    """The processes of the session that `leader` began, also when it is gone itself.

    As long as a session has members the kernel gives its number to nobody
    else. That each works inside `folder` makes sure in the rare case that
    the number was free for a while and another session has it now.
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
    """Ask the processes to end, and kill those that have not after `patience` seconds."""
    for process in processes:
        with suppress(psutil.NoSuchProcess):
            process.terminate()
    _, stubborn = psutil.wait_procs(processes, timeout=patience)
    for process in stubborn:
        with suppress(psutil.NoSuchProcess):
            process.kill()
    psutil.wait_procs(stubborn, timeout=_KILL_SECONDS)


def memory_bytes(process: psutil.Process, with_descendants: bool = True) -> int:
    """Memory of a process and its descendants: their proportional set size, which counts a shared page once.

    Where the system does not know it, the resident set size.
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
