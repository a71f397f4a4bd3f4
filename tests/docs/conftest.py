"""One platform for all pages: their commands are run against it, in the order of the pages."""

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from cogniflow_dev.testing.stacks import LocalStack

sys.path.append(str(Path(__file__).parent))


@pytest.fixture(scope="session")
def stack_home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The folder of a running local stack."""
    home = tmp_path_factory.mktemp("home")
    stack = LocalStack(home)
    stack.start()
    yield home
    stack.stop()
