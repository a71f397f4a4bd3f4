"""Stacks of toy programs under the real supervisor: they start in no time."""

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Protocol

import pytest

from cogniflow_dev import startup
from cogniflow_dev.ports import free_ports
from cogniflow_dev.secrets import Secrets
from cogniflow_dev.stack import USUAL_PORTS, Stack
from cogniflow_dev.topology import Process

# Says something, then does what the programs of a stack do: it stays until it is told to stop.
_PATIENT = "import time; print('hello', flush=True); time.sleep(600)"


class ToyFactory(Protocol):
    """Makes a process that runs Python code; it is ready as soon as it has written something."""

    def __call__(
        self, name: str, code: str = ..., after: tuple[str, ...] = ..., **settings: str
    ) -> Process: ...


@pytest.fixture
def home(tmp_path: Path) -> Path:
    return tmp_path / "home"


@pytest.fixture
def stack(home: Path) -> Iterator[Stack]:
    """A stack with a folder and ports of its own; what a test leaves running in it is ended."""
    ports = dict(zip(USUAL_PORTS, free_ports(len(USUAL_PORTS)), strict=True))
    home.mkdir(parents=True)
    yield Stack(home, ports, Secrets.load_or_create(home / "secrets.json"))
    if running := startup.find_running(home):
        startup.stop(running, patience=20)
    startup.clean_up_after_crash(home)


@pytest.fixture
def toy(stack: Stack) -> ToyFactory:
    def make(name: str, code: str = _PATIENT, after: tuple[str, ...] = (), **settings: str) -> Process:
        log = stack.log(name)

        def check() -> str | None:
            return None if log.exists() and log.stat().st_size else "silent"

        return Process(name, [sys.executable, "-c", code], check, after, settings)

    return make
