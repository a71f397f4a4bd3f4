"""The pytest plugin: stores started once a run, and the fixtures every service's tests use."""

import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from cogniflow_dev.secrets import Secrets
from cogniflow_dev.stores import RunningStores, StorePorts, Stores, start_stores
from cogniflow_dev.testing.environments import ServiceEnvironments
from cogniflow_dev.testing.tokens import TokenMint

_DIRECTORY = "COGNIFLOW_TEST_STORES"
_PORTS = "COGNIFLOW_TEST_PORTS"
_RUNNING = pytest.StashKey[RunningStores]()


def pytest_configure(config: pytest.Config) -> None:
    """Start the stores in the process that pytest was called as; xdist's workers share them."""
    if hasattr(config, "workerinput") or config.option.collectonly:
        return
    directory = Path(tempfile.mkdtemp(prefix="cogniflow-tests-"))
    running = start_stores(directory, Secrets.load_or_create(directory / "secrets.json"))
    config.stash[_RUNNING] = running
    ports = running.ports
    os.environ[_DIRECTORY] = str(directory)
    os.environ[_PORTS] = f"{ports.postgres} {ports.mongo} {ports.redis}"


def pytest_unconfigure(config: pytest.Config) -> None:
    running = config.stash.get(_RUNNING, None)
    if running is not None:
        running.stop()
        shutil.rmtree(running.stores.directory)


@pytest.fixture(scope="session")
def stores() -> Stores:
    """The servers of this run, with their administrators' URLs."""
    directory = Path(os.environ[_DIRECTORY])
    ports = StorePorts(*map(int, os.environ[_PORTS].split()))
    return Stores(directory, Secrets.load_or_create(directory / "secrets.json"), ports)


@pytest.fixture(scope="session")
def service_environment(stores: Stores) -> Iterator[ServiceEnvironments]:
    """Call it with a service's name and a function that prepares its tables."""
    worker = os.environ.get("PYTEST_XDIST_WORKER", "main")
    environments = ServiceEnvironments(stores, worker)
    yield environments
    environments.close()


@pytest.fixture(scope="session")
def tokens() -> TokenMint:
    """Real tokens, signed by a key of this run."""
    return TokenMint()
