"""The glossary is complete in form, and what it names in the code is there."""

import re
from functools import cache
from pathlib import Path

import pytest

from cogniflow_dev.paths import repository_root

ROOT = repository_root()
GLOSSARY = (ROOT / "docs" / "explanation" / "glossary.md").read_text()
_ENTRY = re.compile(r"^### (?P<term>[^\n]+)\n(?P<text>.+?)(?=^##|\Z)", re.MULTILINE | re.DOTALL)
_NAME = re.compile(r"[A-Za-z_][\w.]*")
ENTRIES = {found["term"]: found["text"] for found in _ENTRY.finditer(GLOSSARY)}
SOURCES = [
    folder for pattern in ("services/*/src", "libs/*/src", "tools/*/src") for folder in ROOT.glob(pattern)
]


def line(text: str, kind: str) -> str:
    """What an entry says under Code, API or Avoid, on one line."""
    found = re.search(rf"^- {kind}: (.+?)(?=^- |\Z)", text, re.MULTILINE | re.DOTALL)
    assert found, f"no line {kind}"
    return " ".join(found[1].split())


@cache
def words() -> frozenset[str]:
    """Every word of the packages' code and of the file that names the variables, and all file names."""
    files = [path for folder in SOURCES for path in folder.rglob("*.py")]
    files += [ROOT / ".env.example", *ROOT.glob("services/*/*.py")]
    text = "\n".join(path.read_text() for path in files)
    return frozenset(re.findall(r"\w+", text)) | {path.name for path in files}


def exists(name: str) -> bool:
    """Whether it is a module, a folder or a file of the project, or consists of words of its code."""
    path = name.replace(".", "/")
    if any((base / place).exists() for base in (*SOURCES, ROOT) for place in (path, f"{path}.py", name)):
        return True
    return name in words() or set(name.split(".")) <= words()


def test_terms_are_unique() -> None:
    terms = re.findall(r"^### (.+)", GLOSSARY, re.MULTILINE)
    assert len(terms) == len(set(terms)) == len(ENTRIES)


@pytest.mark.parametrize("term", ENTRIES)
def test_an_entry_says_where_the_term_is_and_what_to_avoid(term: str) -> None:
    assert all(line(ENTRIES[term], kind) for kind in ("Code", "API", "Avoid"))


@pytest.mark.parametrize("term", ENTRIES)
def test_what_an_entry_names_in_the_code_is_there(term: str) -> None:
    named = re.findall(r"`([^`]+)`", line(ENTRIES[term], "Code"))
    missing = [name for name in named if (_NAME.fullmatch(name) or Path(name).suffix) and not exists(name)]
    assert not missing
