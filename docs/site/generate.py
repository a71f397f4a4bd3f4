"""Writes the reference pages from the code: `python docs/site/generate.py`.

The pages are made anew for each build and not committed, so they can't be out of date.
"""

import subprocess
import sys
from pathlib import Path

from reference_api import api_page
from reference_errors import errors_page
from reference_settings import settings_page
from reference_tables import tables_page

SERVICES = ("users", "courses", "chat", "analytics")
DOCS = Path(__file__).resolve().parent.parent
FOLDER = DOCS / "reference" / "generated"


def pages() -> dict[str, str]:
    """Every generated page, by file name."""
    found = {f"api-{service}.md": api_page(service) for service in SERVICES}
    found["cli.md"] = cli_page()
    found["errors.md"] = errors_page(SERVICES)
    found["settings.md"] = settings_page(SERVICES, DOCS.parent / ".env.example")
    found["tables.md"] = tables_page(SERVICES)
    return found


def cli_page() -> str:
    """The `cogniflow` command, as Typer describes it."""
    typer = Path(sys.executable).with_name("typer")
    command = [str(typer), "cogniflow_dev.cli", "utils", "docs", "--name", "cogniflow"]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    lines = done.stdout.splitlines()
    return "\n".join(["# Command line", *lines[1:]]) + "\n"


def write(folder: Path = FOLDER) -> None:
    """Write the pages whose text has changed, and remove those that are no longer generated."""
    folder.mkdir(parents=True, exist_ok=True)
    made = pages()
    for name, text in made.items():
        page = folder / name
        if not page.exists() or page.read_text() != text:
            page.write_text(text)
    for stale in set(folder.glob("*.md")) - {folder / name for name in made}:
        stale.unlink()


if __name__ == "__main__":
    write()
