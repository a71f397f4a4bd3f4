"""The base class of the store servers."""

import os
import signal
import subprocess
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from cogniflow_dev.readiness import wait_until_ready
from cogniflow_dev.secrets import Secrets


class StoreError(RuntimeError):
    """Preparing or setting up a store failed."""


@dataclass(frozen=True)
class StoreServer(ABC):
    """One store: its folder, its port on the loopback interface, and the stack's secrets."""

    name: ClassVar[str]
    stop_signal: ClassVar[signal.Signals] = signal.SIGTERM

    folder: Path
    port: int
    secrets: Secrets

    @abstractmethod
    def prepare(self) -> None:
        """Create the data folder unless it exists."""

    @abstractmethod
    def command(self) -> list[str]:
        """The command line that runs the server in the foreground; it contains no secret."""

    def settings(self) -> dict[str, str]:
        """Documented variables that the command reads."""
        return {}

    def tuning(self) -> dict[str, str]:
        """Variables that only matter on this machine, such as paths of programs."""
        return {}

    @abstractmethod
    def setup_settings(self) -> dict[str, str]:
        """Documented variables that `provision` reads: passwords of administrators and services."""

    def secret_settings(self, *names: str) -> dict[str, str]:
        """The stack's secrets with these names."""
        known = self.secrets.environment()
        return {name: known[name] for name in names}

    @abstractmethod
    def problem(self) -> str | None:
        """Health check: None if the server answers, else the reason."""

    @abstractmethod
    def provision(self) -> None:
        """Create or update databases, roles and users. The server must be running."""

    def wait_ready(self, timeout: float, still_running: Callable[[], bool] = lambda: True) -> None:
        """Wait until the server answers. Raises: NotReady."""
        wait_until_ready(self.name, self.problem, timeout, still_running)


def run(
    name: str, command: Sequence[str | Path], environment: Mapping[str, str], timeout: float = 120
) -> None:
    """Run a setup command. Raises: StoreError with its output, if it fails."""
    try:
        done = subprocess.run(
            [str(part) for part in command],
            check=False,
            env={**os.environ, **environment},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=timeout,
        )
    except subprocess.TimeoutExpired as error:
        raise StoreError(f"setting up {name} took longer than {timeout:.0f} s") from error
    if done.returncode:
        raise StoreError(f"setting up {name} failed:\n{done.stderr.strip() or done.stdout.strip()}")
