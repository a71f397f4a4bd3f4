"""A separate PostgreSQL server that a test may freeze, kill and restart."""

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import psutil

from cogniflow_dev.ports import free_ports
from cogniflow_dev.readiness import wait_until_ready
from cogniflow_dev.secrets import Secrets
from cogniflow_dev.stores.running import RunningStores
from cogniflow_dev.stores.stores import StorePorts, Stores

_SETTLE_S = 10.0


class OwnPostgres:
    """A server with the roles and schemas of the services; keeps its port after a restart."""

    def __init__(self, directory: Path) -> None:
        self.stores = Stores(directory, Secrets(), StorePorts(*free_ports(3)))
        self._running = RunningStores(self.stores)

    def url(self, role: str) -> str:
        """The DATABASE_URL of a service's role, such as `chat`."""
        return self.stores.postgres.url(role)

    def start(self) -> None:
        """Start or restart it; returns when it answers."""
        self._running.start(self.stores.postgres)

    def stop(self) -> None:
        """Stop it gracefully, even if it is frozen."""
        if self._running.processes:
            self.thaw()
            self._running.stop()

    def kill(self) -> None:
        """SIGKILL all its processes at once, like a power failure."""
        postmaster = self._postmaster()
        # Frozen first, so that it starts no further children.
        _freeze(postmaster)
        family = [postmaster, *postmaster.children()]
        for process in family:
            process.kill()
        self._running.processes.pop("postgres").wait()
        _, alive = psutil.wait_procs(family, timeout=_SETTLE_S)
        assert not alive, "PostgreSQL survived SIGKILL"

    def freeze(self) -> None:
        """SIGSTOP all its processes: connections stay open, the kernel acknowledges, nothing answers."""
        postmaster = self._postmaster()
        _freeze(postmaster)
        for child in postmaster.children():
            _freeze(child)

    def freeze_backend(self, pid: int) -> None:
        """SIGSTOP the process of one connection. `pid`: from `pg_backend_pid()`."""
        _freeze(next(child for child in self._postmaster().children() if child.pid == pid))

    def thaw(self) -> None:
        """Resume all frozen processes."""
        postmaster = self._postmaster()
        for process in (*postmaster.children(), postmaster):
            with suppress(psutil.NoSuchProcess):
                process.resume()

    def _postmaster(self) -> psutil.Process:
        return psutil.Process(self._running.processes["postgres"].pid)


def _freeze(process: psutil.Process) -> None:
    process.suspend()
    wait_until_ready("the freeze", lambda: _not_stopped(process), _SETTLE_S, lambda: True)


def _not_stopped(process: psutil.Process) -> str | None:
    status = process.status()
    return None if status in (psutil.STATUS_STOPPED, psutil.STATUS_ZOMBIE) else f"it is {status}"


@contextmanager
def own_postgres(directory: Path) -> Iterator[OwnPostgres]:
    """Start a server in the directory (takes about 3 s) and stop it at the end of the block."""
    server = OwnPostgres(directory)
    try:
        server.start()
        yield server
    finally:
        server.stop()
