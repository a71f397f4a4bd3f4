"""Every file and function that the walks name is there, and no walk is longer than twelve stops."""

import ast
import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import pytest

from cogniflow_dev.paths import repository_root

PAGE = repository_root() / "docs" / "explanation" / "walks.md"
MOST_STOPS = 12
_STOP = re.compile(
    r"^(?P<number>\d+)\. \[[^\]]+\]\((?P<path>[^)]+)\):\s+(?P<names>`[^`]+`(?:,\s+`[^`]+`)*)\.\s",
    re.MULTILINE,
)


@dataclass(frozen=True)
class Stop:
    walk: str
    number: int
    path: Path
    names: tuple[str, ...]


def stops() -> list[Stop]:
    found = []
    for section in re.split(r"^## ", PAGE.read_text(), flags=re.MULTILINE)[1:]:
        walk = section.partition("\n")[0]
        for stop in _STOP.finditer(section):
            path = (PAGE.parent / stop["path"]).resolve()
            found.append(
                Stop(walk, int(stop["number"]), path, tuple(re.findall(r"`([^`]+)`", stop["names"])))
            )
    return found


STOPS = stops()
WALKS = {stop.walk: [other for other in STOPS if other.walk == stop.walk] for stop in STOPS}


@cache
def defined(path: Path) -> frozenset[str]:
    """The functions, classes, methods (`Class.method`) and constants of a module."""
    names: set[str] = set()
    for node in ast.parse(path.read_text()).body:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            names.add(node.name)
        elif isinstance(node, ast.ClassDef):
            methods = (part for part in node.body if isinstance(part, ast.FunctionDef | ast.AsyncFunctionDef))
            names |= {node.name, *(f"{node.name}.{method.name}" for method in methods)}
        elif isinstance(node, ast.Assign):
            names |= {target.id for target in node.targets if isinstance(target, ast.Name)}
        elif isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
            names.add(node.target.id)
    return frozenset(names)


def test_there_are_three_walks() -> None:
    assert len(WALKS) == 3


@pytest.mark.parametrize("walk", WALKS)
def test_every_stop_of_a_walk_is_read_and_there_are_not_too_many(walk: str) -> None:
    numbers = [stop.number for stop in WALKS[walk]]
    _, _, section = PAGE.read_text().partition(f"## {walk}\n")
    written = re.findall(r"^(\d+)\. ", section.partition("\n## ")[0], re.MULTILINE)
    assert numbers == [int(number) for number in written] == list(range(1, len(numbers) + 1))
    assert len(numbers) <= MOST_STOPS


@pytest.mark.parametrize("stop", STOPS, ids=lambda stop: f"{stop.walk} {stop.number}")
def test_what_a_stop_names_is_there(stop: Stop) -> None:
    assert stop.path.is_file()
    assert set(stop.names) <= defined(stop.path), f"{stop.path.name} has {sorted(defined(stop.path))}"
