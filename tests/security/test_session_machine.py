"""No order of logins, refreshes, logouts, locks and clock steps lets a dead token live or a line fork.

SECURITY_STEPS says how many steps; a full run takes 10,000.
"""

import math
import os
from collections.abc import Iterator

import pytest
from fastapi.testclient import TestClient
from hypothesis import HealthCheck
from hypothesis import settings as hypothesis_settings
from hypothesis.stateful import run_state_machine_as_test
from session_machine import PASSWORD, SessionMachine

from cogniflow_dev.testing.environments import ServiceEnvironments
from cogniflow_kit.verification import VerificationFeed
from users_service import password_hashing
from users_service.app import create_app
from users_service.bootstrap import bootstrap
from users_service.settings import Settings

STEPS = int(os.environ.get("SECURITY_STEPS", "600"))
STEPS_A_STORY = 50


class FreshFeed(VerificationFeed):
    """Asked at every use, since half a second is long when the clock stands still."""

    def start(self) -> None:
        self.refresh()

    async def pem(self, kid: str) -> str | None:
        self.refresh()
        return await super().pem(kid)


@pytest.fixture
def machine(
    service_environment: ServiceEnvironments, monkeypatch: pytest.MonkeyPatch
) -> Iterator[type[SessionMachine]]:
    """Over real tables, with the cheapest argon2: sessions are under test."""
    cheap = password_hashing._context.copy(argon2__time_cost=1, argon2__memory_cost=64)
    monkeypatch.setattr(password_hashing, "_context", cheap)
    values = service_environment("users", lambda values: bootstrap(Settings(**values)))
    app = create_app(Settings(**values | {"log_level": "ERROR"}), feed=FreshFeed)
    with TestClient(app) as client:
        SessionMachine.client, SessionMachine.hashed_password = (
            client,
            password_hashing.hash_password(PASSWORD),
        )
        SessionMachine.steps = 0
        yield SessionMachine


def test_whatever_happens_tokens_live_and_die_as_they_should(machine: type[SessionMachine]) -> None:
    while machine.steps < STEPS:
        stories = math.ceil((STEPS - machine.steps) / STEPS_A_STORY)
        run_state_machine_as_test(
            machine,
            settings=hypothesis_settings(
                max_examples=stories,
                stateful_step_count=STEPS_A_STORY,
                deadline=None,
                database=None,
                suppress_health_check=list(HealthCheck),
                print_blob=True,
            ),
        )
