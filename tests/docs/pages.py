"""Finds the commands of a page: fenced `sh` blocks, and marks in comments before them.

<!-- test: docker -->            needs Docker; runs only with COGNIFLOW_DOCS_DOCKER=1
<!-- test: not run, REASON -->   is shown and never run
"""

import re
from dataclasses import dataclass
from pathlib import Path

from cogniflow_dev.paths import repository_root

ROOT = repository_root()
_BLOCK = re.compile(
    r"(?:^<!-- test: (?P<mark>docker|not run, [^\n]+) -->\n+)?^```(?:sh|bash|shell)\n(?P<text>.*?)^```$",
    re.MULTILINE | re.DOTALL,
)


@dataclass(frozen=True)
class Block:
    """One fenced block; `line` is where its first command is in the page."""

    page: Path
    line: int
    text: str
    mark: str

    @property
    def needs_docker(self) -> bool:
        return self.mark == "docker"

    @property
    def runs(self) -> bool:
        return not self.mark.startswith("not run")


def pages() -> list[Path]:
    """Every page whose commands are run: README, tutorials and guides."""
    folders = (ROOT / "docs" / "tutorial", ROOT / "docs" / "guide")
    found = (page for folder in folders for page in sorted(folder.glob("*.md")) if page.name != "index.md")
    return [*found, ROOT / "README.md"]


def blocks(page: Path) -> list[Block]:
    text = page.read_text()
    return [
        Block(page, text.count("\n", 0, found.start("text")) + 1, found["text"], found["mark"] or "")
        for found in _BLOCK.finditer(text)
    ]


def script(chosen: list[Block]) -> str:
    """The blocks one after the other. A line before each says where it is, for the report of a failure."""
    parts = [f": 'line {block.line}'\n{block.text}" for block in chosen]
    return "\n".join(["set -eu -o pipefail", *parts])
