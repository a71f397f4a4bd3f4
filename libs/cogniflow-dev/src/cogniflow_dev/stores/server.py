"""What every store server has in common."""

import os
import signal
import subprocess
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from cogniflow_dev.secrets import Secrets
from cogniflow_dev.waiting import wait_until_ready


class StoreError(RuntimeError):
    """A store could not be prepared, or refused its set-up."""


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
        """Make the data folder; does nothing when it is there already."""

    @abstractmethod
    def command(self) -> list[str]:
        """The command line that runs the server in the foreground; no secret is in it."""

    def settings(self) -> dict[str, str]:
        """The documented variables that the command reads."""
        return {}

    def tuning(self) -> dict[str, str]:
        """Variables for the command that concern this machine only, such as where a program is."""
        return {}

    @abstractmethod
    def setup_settings(self) -> dict[str, str]:
        """The documented variables that `provision` reads: administrators' and services' passwords."""

    def secret_settings(self, *names: str) -> dict[str, str]:
        """The named secrets of the stack."""
        known = self.secrets.environment()
        return {name: known[name] for name in names}

    @abstractmethod
    def problem(self) -> str | None:
        """Ask the server once: None when it answers, else why not."""

    @abstractmethod
    def provision(self) -> None:
        """Create databases, roles and users, or bring existing ones up to date; needs the server running."""

    def wait_ready(self, timeout: float, still_running: Callable[[], bool] = lambda: True) -> None:
        """Wait until the server answers; raises NotReady as `wait_until_ready` does."""
        wait_until_ready(self.name, self.problem, timeout, still_running)


def run(
    name: str, command: Sequence[str | Path], environment: Mapping[str, str], timeout: float = 120
) -> None:
    """Run a set-up command to its end; raises StoreError with its output when it fails."""
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
