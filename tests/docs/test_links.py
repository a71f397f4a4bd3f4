"""The checks of links and of the built site find what they are for."""

import importlib
import sys
from pathlib import Path

import pytest

from cogniflow_dev.paths import repository_root

sys.path.append(str(repository_root() / "docs" / "site"))
check = importlib.import_module("check")


def test_links_of_the_checkout_lead_somewhere() -> None:
    pages = [page for page in check.markdown_files() if "generated" not in page.parts]
    assert repository_root() / "README.md" in pages
    assert list(check.broken_links(pages)) == []


@pytest.mark.parametrize(
    "text",
    ["[a](gone.md)", "[a](page.md#gone)", "[a](#gone)", "[a b](gone.md#there)"],
)
def test_a_broken_link_is_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    monkeypatch.setattr(check, "ROOT", tmp_path)
    page = tmp_path / "page.md"
    page.write_text(f"# There\n\n{text}\n")
    assert len(list(check.broken_links([page]))) == 1


@pytest.mark.parametrize(
    "text",
    [
        "[a](page.md#there-and-back)",
        "[a](https://example.org/gone)",
        "`[a](gone.md)`",
        "```\n[a](gone.md)\n```",
    ],
)
def test_other_links_are_left_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    monkeypatch.setattr(check, "ROOT", tmp_path)
    page = tmp_path / "page.md"
    page.write_text(f"# There, and back\n\n{text}\n")
    assert list(check.broken_links([page])) == []


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("a.html", '<script src="https://cdn.example.org/a.js"></script>'),
        ("a.html", '<link rel="stylesheet" href="//fonts.example.org/a.css">'),
        ("a.html", '<img src="http://example.org/a.png">'),
        ("a.css", "@import 'https://example.org/a.css';"),
        ("a.css", "b { background: url(https://example.org/a.png) }"),
    ],
)
def test_what_a_page_loads_from_elsewhere_is_found(tmp_path: Path, name: str, text: str) -> None:
    (tmp_path / name).write_text(text)
    assert len(list(check.loaded_from_elsewhere(tmp_path))) == 1


def test_links_to_follow_and_own_files_are_allowed(tmp_path: Path) -> None:
    (tmp_path / "a.html").write_text('<a href="https://example.org">x</a><script src="a.js"></script>')
    assert list(check.loaded_from_elsewhere(tmp_path)) == []
