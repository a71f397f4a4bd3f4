"""A PostgreSQL of a test's own, to be frozen, killed and started again; the shared one never is."""

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import psutil

from cogniflow_dev.ports import free_ports
from cogniflow_dev.secrets import Secrets
from cogniflow_dev.stores.running import RunningStores
from cogniflow_dev.stores.stores import StorePorts, Stores
from cogniflow_dev.waiting import wait_until_ready

_SETTLE_S = 10.0


class OwnPostgres:
    """The server with its roles and schemas, as the services get it; always at the same port."""

    def __init__(self, directory: Path) -> None:
        self.stores = Stores(directory, Secrets(), StorePorts(*free_ports(3)))
        self._running = RunningStores(self.stores)

    def url(self, role: str) -> str:
        """The DATABASE_URL of a service's role, such as `chat`."""
        return self.stores.postgres.url(role)

    def start(self) -> None:
        """Start it, also again; returns when it answers."""
        self._running.start(self.stores.postgres)

    def stop(self) -> None:
        """End it in good order, frozen or not."""
        if self._running.processes:
            self.thaw()
            self._running.stop()

    def kill(self) -> None:
        """SIGKILL all of it at once, as a power cut would."""
        postmaster = self._postmaster()
        # First it is held, so that its children stay known.
        _freeze(postmaster)
        family = [postmaster, *postmaster.children()]
        for process in family:
            process.kill()
        self._running.processes.pop("postgres").wait()
        _, alive = psutil.wait_procs(family, timeout=_SETTLE_S)
        assert not alive, "PostgreSQL survived SIGKILL"

    def freeze(self) -> None:
        """Stop every process of it: connections stay open, the kernel acknowledges, nothing answers."""
        postmaster = self._postmaster()
        _freeze(postmaster)
        for child in postmaster.children():
            _freeze(child)

    def freeze_backend(self, pid: int) -> None:
        """Stop the process behind one connection; `pg_backend_pid()` tells its number."""
        _freeze(next(child for child in self._postmaster().children() if child.pid == pid))

    def thaw(self) -> None:
        """Let what is frozen go on; does nothing to what isn't."""
        postmaster = self._postmaster()
        for process in (*postmaster.children(), postmaster):
            with suppress(psutil.NoSuchProcess):
                process.resume()

    def _postmaster(self) -> psutil.Process:
        return psutil.Process(self._running.processes["postgres"].pid)


def _freeze(process: psutil.Process) -> None:
    process.suspend()
    wait_until_ready("the freeze", lambda: _still_going(process), _SETTLE_S, lambda: True)


def _still_going(process: psutil.Process) -> str | None:
    status = process.status()
    return None if status in (psutil.STATUS_STOPPED, psutil.STATUS_ZOMBIE) else f"it is {status}"


@contextmanager
def own_postgres(directory: Path) -> Iterator[OwnPostgres]:
    """Start one below the directory, which takes some 3 s, and end it with the block."""
    server = OwnPostgres(directory)
    try:
        server.start()
        yield server
    finally:
        server.stop()
