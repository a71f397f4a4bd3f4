"""No order of tabs, repetitions, crashes, lost leases, restarts and pauses makes a gap or a contradiction.

PROGRAM_MACHINE_STEPS says how many things happen; a full run takes 60,000.
"""

import math
import os
from collections import Counter

import pytest
from hypothesis import HealthCheck
from hypothesis import settings as hypothesis_settings
from hypothesis.stateful import run_state_machine_as_test
from program_machine import ProgramMachine

from chat_service.programs.content.catalog import Catalog

STEPS = int(os.environ.get("PROGRAM_MACHINE_STEPS", "6000"))
STEPS_A_RUN = 50


@pytest.fixture
def machine(committing) -> type[ProgramMachine]:
    ProgramMachine.database, ProgramMachine.catalog = committing, Catalog(committing)
    ProgramMachine.counts = Counter()
    return ProgramMachine


@pytest.mark.slow
def test_whatever_happens_answers_completions_state_and_messages_agree(machine, record_property):
    run_state_machine_as_test(
        machine,
        settings=hypothesis_settings(
            max_examples=math.ceil(STEPS / STEPS_A_RUN),
            stateful_step_count=STEPS_A_RUN,
            deadline=None,
            database=None,
            suppress_health_check=list(HealthCheck),
            print_blob=True,
        ),
    )
    record_property("ended", dict(machine.counts))
    ended = {"Turn", "Killed", "Broken", "TurnInProgress", "MessageIdReused"}
    assert ended <= machine.counts.keys(), "each has to come up, or less was tried than this test promises"
