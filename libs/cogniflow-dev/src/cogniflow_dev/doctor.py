"""Checks whether this machine can run the local stack, and how to solve problems."""

import importlib.util
import os
import platform
import resource
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

import psutil

from cogniflow_dev.ports import is_free
from cogniflow_dev.stack import USUAL_PORTS
from cogniflow_dev.startup import find_running
from cogniflow_dev.state import State
from cogniflow_dev.stores.binaries import MissingBinary, mongod_binary, postgres_binary, redis_binary
from cogniflow_dev.topology import SERVICES, caddy_binary

_GIBIBYTE = 1024**3
_DISK_BYTES = 2 * _GIBIBYTE
_MEMORY_BYTES = int(1.5 * _GIBIBYTE)
_FILES = 1024  # required by supervisord


class Verdict(StrEnum):
    """Severity of a finding; only a PROBLEM prevents the stack from running."""

    FINE = "fine"
    NOTE = "note"
    PROBLEM = "problem"


@dataclass(frozen=True)
class Finding:
    """The result of one check."""

    subject: str
    verdict: Verdict
    text: str
    remedy: str = ""


def examine(home: Path) -> Iterator[Finding]:
    """Check everything that a start in `home` depends on; changes nothing."""
    yield _python()
    yield _disk(home)
    yield _memory()
    yield _open_files()
    yield from _programs()
    if os.geteuid() == 0:
        yield _root_needs_setpriv()
    yield _services_installed()
    yield from _data_folder(home)
    yield from _ports(home)
    yield _earlier_run(home)


def _judge(subject: str, good: bool, text: str, remedy: str, bad: Verdict = Verdict.PROBLEM) -> Finding:
    return Finding(subject, Verdict.FINE, text) if good else Finding(subject, bad, text, remedy)


def _python() -> Finding:
    remedy = "Remove .venv and run ./scripts/up with Python 3.11 or later."
    return _judge("Python", sys.version_info >= (3, 11), platform.python_version(), remedy)


def _disk(home: Path) -> Finding:
    existing = next(folder for folder in (home, *home.parents) if folder.exists())
    free = shutil.disk_usage(existing).free
    text = f"{free / _GIBIBYTE:.1f} GiB free in {existing}"
    return _judge("disk", free > _DISK_BYTES, text, "Make 2 GiB free, or set COGNIFLOW_HOME to another disk.")


def _memory() -> Finding:
    free = psutil.virtual_memory().available
    text = f"{free / _GIBIBYTE:.1f} GiB available"
    return _judge("memory", free > _MEMORY_BYTES, text, "The stack needs some 1.2 GiB.", Verdict.NOTE)


def _open_files() -> Finding:
    _, limit = resource.getrlimit(resource.RLIMIT_NOFILE)
    enough = limit == resource.RLIM_INFINITY or limit >= _FILES
    text = "no limit" if limit == resource.RLIM_INFINITY else f"up to {limit}"
    return _judge("open files", enough, text, f"Raise the hard limit to {_FILES}: ulimit -Hn {_FILES}")


def _programs() -> Iterator[Finding]:
    yield _program("PostgreSQL", lambda: postgres_binary("postgres"), "--version")
    yield _program("psql", lambda: postgres_binary("psql"), "--version")
    yield _program("MongoDB", mongod_binary, "--version")
    yield _program("Redis", redis_binary, "--version")
    yield _program("gateway", caddy_binary, "version")


def _program(subject: str, find: Callable[[], Path], version_argument: str) -> Finding:
    """Check that a server is installed and runs on this machine (libraries, processor)."""
    try:
        path = find()
    except MissingBinary as error:
        return Finding(subject, Verdict.PROBLEM, "missing", str(error))
    try:
        done = subprocess.run(
            [path, version_argument], check=False, capture_output=True, text=True, timeout=20
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        return Finding(subject, Verdict.PROBLEM, f"{path} does not run: {error}", _LIBRARY_REMEDY)
    if done.returncode:
        output = (done.stderr or done.stdout).strip() or f"exit code {done.returncode}"
        return Finding(subject, Verdict.PROBLEM, f"{path} does not run: {output}", _LIBRARY_REMEDY)
    return Finding(subject, Verdict.FINE, f"{done.stdout.splitlines()[0].strip()}, {path}")


_LIBRARY_REMEDY = (
    "The bundled servers need Linux with glibc 2.34 or later, and MongoDB needs OpenSSL 3 and libcurl 4 "
    "(Debian: apt-get install libssl3 libcurl4). A mongod 6+ or redis-server of your own on PATH is "
    "preferred; or use Docker: ./scripts/up --docker"
)


def _root_needs_setpriv() -> Finding:
    found = shutil.which("setpriv")
    remedy = "PostgreSQL refuses to run as root: install util-linux, or use another user."
    return _judge("setpriv", bool(found), found or "missing", remedy)


def _services_installed() -> Finding:
    missing = [part for part in SERVICES if importlib.util.find_spec(f"{part}_service") is None]
    text = f"{', '.join(missing)} not installed" if missing else "all four installed"
    return _judge("services", not missing, text, "Run ./scripts/up, which installs everything from uv.lock.")


def _data_folder(home: Path) -> Iterator[Finding]:
    if not home.exists():
        parent = next(folder for folder in home.parents if folder.exists())
        text = f"{home} will be made"
        yield _judge("data folder", os.access(parent, os.W_OK), text, f"{parent} is not writable.")
        return
    owned = home.stat().st_uid == os.geteuid()
    remedy = "Start the stack as the user who owns it, or set COGNIFLOW_HOME to another folder."
    yield _judge("data folder", owned and os.access(home, os.W_OK), str(home), remedy)
    secrets = home / "secrets.json"
    if secrets.exists():
        private = not secrets.stat().st_mode & 0o077
        yield _judge("secrets", private, str(secrets), f"Others can read it: chmod 600 '{secrets}'")


def _ports(home: Path) -> Iterator[Finding]:
    running = find_running(home)
    own = set(running.stack.ports.values()) if running else set()
    taken = [
        f"{port} ({name})" for name, port in USUAL_PORTS.items() if port not in own and not is_free(port)
    ]
    text = f"taken: {', '.join(taken)}" if taken else "all free, or ours"
    yield _judge("usual ports", not taken, text, "Other ports are used instead.", Verdict.NOTE)


def _earlier_run(home: Path) -> Finding:
    running = find_running(home)
    if running:
        return Finding("stack", Verdict.FINE, f"running at {running.stack.address}/")
    crashed = State.load(home).supervisor is not None
    text = "the last run was killed" if crashed else "not running"
    return _judge("stack", not crashed, text, "The next start, or `cogniflow down`, tidies up.", Verdict.NOTE)
