"""The generated reference pages name everything that the code has."""

import importlib
import sys
from pathlib import Path
from typing import Any

import pytest

from cogniflow_dev.paths import repository_root

sys.path.append(str(repository_root() / "docs" / "site"))


@pytest.fixture(scope="module")
def generated() -> dict[str, str]:
    pages: dict[str, str] = importlib.import_module("generate").pages()
    return pages


def site(module: str) -> Any:
    return importlib.import_module(module)


@pytest.mark.parametrize("service", ["users", "courses", "chat", "analytics"])
def test_every_route_is_described(generated: dict[str, str], service: str) -> None:
    page = generated[f"api-{service}.md"]
    for path, methods in site("reference_api").openapi(service)["paths"].items():
        for method in methods:
            assert f"### `{method.upper()} {path}`" in page


def test_every_error_code_is_listed(generated: dict[str, str]) -> None:
    for error in site("reference_errors").error_classes(site("generate").SERVICES):
        assert f"| {error.status} | `{error.code}` |" in generated["errors.md"]


@pytest.mark.parametrize("service", ["users", "courses", "chat", "analytics"])
def test_every_table_and_column_is_listed(generated: dict[str, str], service: str) -> None:
    for table in site("reference_tables").tables_of(service).tables.values():
        _, _, section = generated["tables.md"].partition(f"### `{service}.{table.name}`")
        for column in table.columns:
            assert f"| `{column.name}` |" in section


@pytest.mark.parametrize("collection", ["quiz_attempts", "ai_conversations", "interaction_logs"])
def test_every_collection_is_listed(generated: dict[str, str], collection: str) -> None:
    assert f"### `{collection}`" in generated["tables.md"]


def test_every_setting_is_listed(generated: dict[str, str]) -> None:
    page = generated["settings.md"]
    for setting in site("reference_settings").runtime_settings():
        assert f"| `{setting.key}` |" in page
    for line in (repository_root() / ".env.example").read_text().splitlines():
        if line and not line.startswith("#"):
            assert f"| `{line.partition('=')[0]}` |" in page


def test_every_command_is_described(generated: dict[str, str]) -> None:
    commands = Path(repository_root() / "libs/cogniflow-dev/src/cogniflow_dev/cli/__init__.py").read_text()
    for name in ("up", "down", "status", "programs", "users", "migrate-legacy"):
        assert name.replace("-", "_") in commands
        assert f"## `cogniflow {name}`" in generated["cli.md"]
