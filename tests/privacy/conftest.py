"""The four services together; see tests/security/support/four_services.py."""

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from cogniflow_dev.testing.environments import ServiceEnvironments

ROOT = Path(__file__).parents[2]
here = ROOT / "tests/privacy/support"
for support in (here, ROOT / "tests/security/support", ROOT / "services/courses-service/tests/support"):
    sys.path.append(str(support))

from four_services import FourServices, four_services  # noqa: E402 -- found where the path above says


@pytest.fixture(scope="module")
def spool(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where chat-service keeps turns while PostgreSQL is away."""
    return tmp_path_factory.mktemp("spool")


@pytest.fixture(scope="module")
def platform(service_environment: ServiceEnvironments, spool: Path) -> Iterator[FourServices]:
    with four_services(service_environment, spool_dir=spool) as running:
        yield running
