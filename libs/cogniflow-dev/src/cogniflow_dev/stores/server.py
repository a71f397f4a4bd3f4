"""What every store server has in common."""

import os
import subprocess
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from cogniflow_dev.secrets import Secrets

_POLL_SECONDS = 0.1


class StoreError(RuntimeError):
    """A store could not be prepared, did not start in time, or refused its set-up."""


@dataclass(frozen=True)
class StoreServer(ABC):
    """One store: its folder, its port on the loopback interface, and the stack's secrets."""

    name: ClassVar[str]

    folder: Path
    port: int
    secrets: Secrets

    @abstractmethod
    def prepare(self) -> None:
        """Make the data folder; does nothing when it is there already."""

    @abstractmethod
    def command(self) -> list[str]:
        """The command line that runs the server in the foreground; no secret is in it."""

    def environment(self) -> dict[str, str]:
        """The variables to add to the environment of the command."""
        return self.secrets.environment()

    @abstractmethod
    def problem(self) -> str | None:
        """Ask the server once: None when it answers, else why not."""

    @abstractmethod
    def provision(self) -> None:
        """Create databases, roles and users, or bring existing ones up to date; needs the server running."""

    def wait_ready(self, timeout: float, still_running: Callable[[], bool] = lambda: True) -> None:
        """Wait until the server answers.

        Raises StoreError after `timeout` seconds, or as soon as `still_running` says that its process is gone.
        """
        deadline = time.monotonic() + timeout
        while problem := self.problem():
            if not still_running():
                raise StoreError(f"{self.name} stopped while starting: {problem}")
            if time.monotonic() > deadline:
                raise StoreError(f"{self.name} did not answer within {timeout:.0f} s: {problem}")
            time.sleep(_POLL_SECONDS)


def run(name: str, command: Sequence[str | Path], environment: Mapping[str, str], timeout: float = 120) -> None:
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
