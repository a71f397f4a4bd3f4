"""The four services together; see tests/security/support/four_services.py."""

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from cogniflow_dev.testing.environments import ServiceEnvironments

ROOT = Path(__file__).parents[2]
for support in (ROOT / "tests/security/support", ROOT / "services/courses-service/tests/support"):
    sys.path.append(str(support))

from four_services import FourServices, four_services  # noqa: E402 -- found where the path above says


@pytest.fixture(scope="module")
def platform(service_environment: ServiceEnvironments) -> Iterator[FourServices]:
    with four_services(service_environment) as running:
        yield running
