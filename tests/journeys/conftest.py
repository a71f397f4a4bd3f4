"""The platform under test: the local stack, or with COGNIFLOW_TARGET=compose the running compose stack."""

import os
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from cogniflow_dev.testing.stacks import ComposeStack, LocalStack, RunningStack

sys.path.append(str(Path(__file__).parent / "support"))


@pytest.fixture(scope="session")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningStack]:
    if os.environ.get("COGNIFLOW_TARGET", "local") == "compose":
        chosen: RunningStack = ComposeStack()
        chosen.start()
        yield chosen
        return
    chosen = LocalStack(tmp_path_factory.mktemp("home"))
    chosen.start()
    yield chosen
    chosen.stop()
