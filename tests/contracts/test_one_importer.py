"""What signs, verifies and hashes is imported by one module of a package, where all of its rules are."""

import ast
from pathlib import Path

import pytest

from cogniflow_dev.paths import repository_root

GUARDED = {"jose", "passlib", "joserfc", "authlib"}
PACKAGES = sorted(
    package
    for sources in (*repository_root().glob("libs/*/src"), *repository_root().glob("services/*/src"))
    for package in sources.iterdir()
    if (package / "__init__.py").exists()
)


def imported(module: Path) -> set[str]:
    """The names of the packages that it imports anywhere, also within functions."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(module.read_text())):
        if isinstance(node, ast.Import):
            found |= {alias.name.partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            found.add(node.module.partition(".")[0])
    return found


def importers(package: Path) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for module in sorted(package.rglob("*.py")):
        for name in imported(module) & GUARDED:
            found.setdefault(name, []).append(str(module.relative_to(package)))
    return found


def test_the_packages_are_found() -> None:
    names = {package.name for package in PACKAGES}
    assert {"cogniflow_kit", "cogniflow_dev", "users_service", "chat_service"} <= names
    [users] = [package for package in PACKAGES if package.name == "users_service"]
    assert importers(users).keys() == GUARDED


@pytest.mark.parametrize("package", PACKAGES, ids=lambda package: package.name)
def test_one_module_of_a_package_imports_it(package: Path) -> None:
    several = {name: modules for name, modules in importers(package).items() if len(modules) > 1}
    assert not several
