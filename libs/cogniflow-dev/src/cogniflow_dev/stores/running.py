"""Stores as child processes, without a supervisor, for tests."""

import os
import signal
import subprocess
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

from cogniflow_dev.ports import free_ports
from cogniflow_dev.secrets import Secrets
from cogniflow_dev.stores.server import StoreServer
from cogniflow_dev.stores.stores import StorePorts, Stores

_READY_SECONDS = 60.0
_STOP_SECONDS = 20.0


@dataclass
class RunningStores:
    """The running servers; call `stop` when done."""

    stores: Stores
    processes: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict)

    @property
    def ports(self) -> StorePorts:
        return self.stores.ports

    @property
    def secrets(self) -> Secrets:
        return self.stores.secrets

    def urls(self, service: str) -> dict[str, str]:
        """DATABASE_URL, REDIS_URL and, where it has one, MONGO_URL of a service such as `users`."""
        return self.stores.urls(service)

    def admin_urls(self) -> dict[str, str]:
        """The administrator's URL of each store, by its name."""
        return self.stores.admin_urls()

    def start(self, server: StoreServer) -> None:
        """Start one store and wait until it is usable. Raises: NotReady or StoreError."""
        server.prepare()
        log = self.stores.directory / "logs" / f"{server.name}.log"
        log.parent.mkdir(exist_ok=True)
        with log.open("ab") as output:
            process = subprocess.Popen(
                server.command(),
                env={**os.environ, **server.settings(), **server.tuning()},
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                # A session of its own, so that Ctrl-C in the terminal doesn't end it before its clients.
                start_new_session=True,
            )
        self.processes[server.name] = process
        server.wait_ready(_READY_SECONDS, still_running=lambda: process.poll() is None)
        server.provision()

    def stop(self) -> None:
        """Stop the servers; those still running after 20 s are killed."""
        for server in self.stores.servers():
            if process := self.processes.get(server.name):
                process.send_signal(server.stop_signal)
        for process in self.processes.values():
            try:
                process.wait(_STOP_SECONDS)
            except subprocess.TimeoutExpired:
                os.killpg(process.pid, signal.SIGKILL)
                process.wait()
        self.processes.clear()


def start_stores(directory: Path, secrets: Secrets) -> RunningStores:
    """Start the three stores on free ports, with the roles, schemas and users of the services.

    Takes about 3 s with an empty folder. Raises: StoreError or NotReady, after stopping everything.
    """
    directory.mkdir(parents=True, exist_ok=True)
    postgres, mongo, redis = free_ports(3)
    running = RunningStores(Stores(directory, secrets, StorePorts(postgres, mongo, redis)))
    try:
        with ThreadPoolExecutor(max_workers=3) as pool:
            list(pool.map(running.start, running.stores.servers()))
    except BaseException:
        running.stop()
        raise
    return running
