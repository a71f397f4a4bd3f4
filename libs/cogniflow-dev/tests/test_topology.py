"""The local stack and docker-compose.yml describe the same thing."""

from functools import cache
from pathlib import Path
from typing import Any

import pytest
import yaml

from cogniflow_dev.dotenv import read_env
from cogniflow_dev.paths import repository_root
from cogniflow_dev.secrets import Secrets
from cogniflow_dev.stack import USUAL_PORTS, Stack
from cogniflow_dev.topology import Process, processes

# Shape a container and are no settings of ours.
_OF_THE_IMAGES = {"POSTGRES_USER", "POSTGRES_DB", "POSTGRES_INITDB_ARGS", "RUN_AS", "HOME"}
_TUNING = {"GOMEMLIMIT", "XDG_CONFIG_HOME", "XDG_DATA_HOME"}

# What the local stack does between starting MongoDB and using it is a container that exits.
_SETUP_OF = {"mongo-setup": "mongo"}


@cache
def _containers() -> dict[str, dict[str, Any]]:
    compose = yaml.safe_load((repository_root() / "docker-compose.yml").read_text())
    return {name: container for name, container in compose["services"].items() if "profiles" not in container}


@cache
def _local() -> dict[str, Process]:
    stack = Stack(Path("/nowhere"), USUAL_PORTS, Secrets())
    return {process.name: process for process in processes(stack)}


def _container_settings(name: str) -> set[str]:
    parts = [name, *(setup for setup, store in _SETUP_OF.items() if store == name)]
    names = {setting for part in parts for setting in _containers()[part].get("environment", {})}
    return names - _OF_THE_IMAGES - _TUNING


def test_both_run_the_same_processes() -> None:
    assert set(_local()) == set(_containers()) - set(_SETUP_OF)


@pytest.mark.parametrize("name", sorted(_local()))
def test_a_process_has_the_same_settings_in_both(name: str) -> None:
    process = _local()[name]
    setup = process.store.setup_settings() if process.store else {}
    assert set(process.settings) | set(setup) == _container_settings(name)


@pytest.mark.parametrize("name", sorted(_local()))
def test_a_process_waits_for_the_same_ones_in_both(name: str) -> None:
    awaited = _containers()[name].get("depends_on", {})
    assert set(_local()[name].after) == {_SETUP_OF.get(other, other) for other in awaited}


def test_every_secret_has_its_line_in_the_example() -> None:
    example = read_env(repository_root() / ".env.example")
    assert set(Secrets().environment()) <= set(example)


def test_no_secret_is_on_a_command_line() -> None:
    secrets = Secrets()
    stack = Stack(Path("/nowhere"), USUAL_PORTS, secrets)
    command_lines = " ".join(" ".join(process.command) for process in processes(stack))
    assert not [value for value in secrets.environment().values() if value in command_lines]
