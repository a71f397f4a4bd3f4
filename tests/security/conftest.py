"""The four services together, and what the batteries share."""

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from cogniflow_dev.testing.environments import ServiceEnvironments

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(Path(__file__).parent / "support"))
sys.path.append(str(ROOT / "services" / "courses-service" / "tests" / "support"))

from four_services import FourServices, four_services  # noqa: E402 -- found where the path above says


@pytest.fixture(scope="module")
def platform(service_environment: ServiceEnvironments) -> Iterator[FourServices]:
    """Not for the whole run: the tests that step the clock must not step it for these."""
    with four_services(service_environment) as running:
        yield running
