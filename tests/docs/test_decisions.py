"""Each decision has a number, a status and a date, and the index lists it so."""

import re
from pathlib import Path

import pytest

from cogniflow_dev.paths import repository_root

FOLDER = repository_root() / "docs" / "explanation" / "adr"
PAGES = sorted(FOLDER.glob("[0-9]*.md"))
_HEAD = re.compile(
    r"# (?P<number>\d+)\. (?P<title>.+)\n\n"
    r"- Status: (?P<status>.+)\n- Date: (?P<date>\d{4}-\d\d-\d\d)\n\n## Context"
)


def test_the_numbers_count_from_1() -> None:
    assert [int(page.name[:4]) for page in PAGES] == list(range(1, len(PAGES) + 1))


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_a_decision_is_in_the_index_with_status_and_date(page: Path) -> None:
    head = _HEAD.match(page.read_text())
    assert head, f"{page.name} begins otherwise than docs/explanation/adr/0001-record-decisions.md"
    assert int(head["number"]) == int(page.name[:4])
    row = f"| {head['number']} | [{head['title']}]({page.name}) | {head['status']} | {head['date']} |"
    assert row in (FOLDER / "index.md").read_text()
