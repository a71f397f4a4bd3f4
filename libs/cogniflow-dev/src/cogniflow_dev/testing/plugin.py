"""pytest plugin: starts the stores once per run; fixtures for the tests of all services."""

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
    """Start the stores in the main pytest process; workers of pytest-xdist share them."""
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
    """The stores of this run."""
    directory = Path(os.environ[_DIRECTORY])
    ports = StorePorts(*map(int, os.environ[_PORTS].split()))
    return Stores(directory, Secrets.load_or_create(directory / "secrets.json"), ports)


@pytest.fixture(scope="session")
def service_environment(stores: Stores) -> Iterator[ServiceEnvironments]:
    """Settings of a service; call it with the service's name and a function that creates its tables."""
    worker = os.environ.get("PYTEST_XDIST_WORKER", "main")
    environments = ServiceEnvironments(stores, worker)
    yield environments
    environments.close()


@pytest.fixture(scope="session")
def tokens() -> TokenMint:
    """Issues valid tokens, signed with a key of this run."""
    return TokenMint()
