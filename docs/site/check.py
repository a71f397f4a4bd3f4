"""Checks the built site and the links of all Markdown files: `python docs/site/check.py SITE`.

- Relative links in README.md, CONTRIBUTING.md, docs/ and every other README lead to a file of
  the checkout, and their anchors to a heading of it.
- A page of the site loads nothing from another address: no font, script, style or image.

Links to other sites are not fetched.
"""

import re
import subprocess
import sys
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path

from docutils.nodes import make_id

ROOT = Path(__file__).resolve().parents[2]
_FENCE = re.compile(r"^( *)(```+|~~~+).*?^\1\2", re.MULTILINE | re.DOTALL)
_INLINE_CODE = re.compile(r"`[^`\n]*`")
_LINK = re.compile(r"(?<!\\)\[[^\]]*\]\(<?([^)\s>]+)>?(?: \"[^\"]*\")?\)")
_HEADING = re.compile(r"^#{1,6} +(.+?) *#*$", re.MULTILINE)
_EXTERNAL = re.compile(r"^(?:[a-z][a-z0-9+.-]*:)?//", re.IGNORECASE)
_LOADS = {"script": "src", "img": "src", "iframe": "src", "source": "src", "video": "src", "audio": "src"}
_CSS_ADDRESS = re.compile(r"url\(\s*['\"]?((?:https?:)?//[^)'\"]+)|@import\s+['\"]((?:https?:)?//[^'\"]+)")


def markdown_files() -> list[Path]:
    """Every Markdown file that is part of the project, and the generated pages."""
    command = ["git", "ls-files", "--cached", "--others", "--exclude-standard", "*.md"]
    listed = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout.split("\n")
    generated = (ROOT / "docs" / "reference" / "generated").glob("*.md")
    found = {ROOT / name for name in listed if name and "/tests/" not in name} | set(generated)
    return sorted(page for page in found if page.exists())


def broken_links(pages: list[Path]) -> Iterator[str]:
    """A line for each relative link that leads nowhere."""
    for page in pages:
        for target in _links(page.read_text()):
            if _EXTERNAL.match(target) or target.startswith("mailto:"):
                continue
            path, _, anchor = target.partition("#")
            aim = (page.parent / path).resolve() if path else page
            if not aim.exists():
                yield f"{page.relative_to(ROOT)}: {target} does not exist"
            elif anchor and aim.suffix == ".md" and anchor not in _anchors(aim.read_text()):
                yield f"{page.relative_to(ROOT)}: {target} has no such heading"


def _links(text: str) -> Iterator[str]:
    for found in _LINK.finditer(_INLINE_CODE.sub("``", _FENCE.sub("", text))):
        yield found[1]


def _anchors(text: str) -> set[str]:
    """The anchors of a page's headings, as code hosts and MyST make them."""
    headings = (_plain(heading) for heading in _HEADING.findall(_FENCE.sub("", text)))
    found: set[str] = set()
    for heading in headings:
        slug = re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")
        number = 0
        while (unique := f"{slug}-{number}" if number else slug) in found:
            number += 1
        found |= {unique, make_id(heading)}
    return found


def _plain(heading: str) -> str:
    return re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", heading).replace("`", "").replace("*", "")


class _Loaded(HTMLParser):
    """What a browser loads for a page by itself; links that people follow are no part of it."""

    def __init__(self) -> None:
        super().__init__()
        self.addresses: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        attribute = _LOADS.get(tag) or ("href" if tag == "link" and _is_loaded(given) else None)
        if attribute and (address := given.get(attribute)):
            self.addresses.append(address)


def _is_loaded(link: dict[str, str | None]) -> bool:
    kinds = (link.get("rel") or "").split()
    return not {"canonical", "alternate", "license", "author"} & set(kinds)


def loaded_from_elsewhere(site: Path) -> Iterator[str]:
    """A line for each address outside of the site that a page or a style sheet loads."""
    for page in site.rglob("*.html"):
        parser = _Loaded()
        parser.feed(page.read_text())
        for address in filter(_EXTERNAL.match, parser.addresses):
            yield f"{page.relative_to(site)} loads {address}"
    for style in site.rglob("*.css"):
        for found in _CSS_ADDRESS.findall(style.read_text()):
            yield f"{style.relative_to(site)} loads {''.join(found)}"


def main(site: Path) -> int:
    problems = [*broken_links(markdown_files()), *loaded_from_elsewhere(site)]
    for problem in problems:
        print(problem, file=sys.stderr)  # noqa: T201
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
