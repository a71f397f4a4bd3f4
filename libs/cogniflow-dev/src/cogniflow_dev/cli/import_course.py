"""`cogniflow import-course`: imports an Open edX course."""

from collections import Counter
from itertools import groupby
from operator import itemgetter
from pathlib import Path
from typing import Annotated, Any

import httpx
import typer
from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn
from rich.table import Table
from rich.text import Text

from cogniflow_dev import gateway_client
from cogniflow_dev.cli.terminal import console, fail, print_json, require_running_stack
from cogniflow_dev.gateway_client import PlatformRefused


def import_course(
    file: Annotated[
        Path,
        typer.Argument(
            exists=True, dir_okay=False, readable=True, help="Open edX course archive (OLX), .tar.gz."
        ),
    ],
    username: Annotated[
        str, typer.Option("--username", "-u", help="Username of an instructor.")
    ] = "instructor",
    password: Annotated[
        str | None,
        typer.Option(
            envvar="COGNIFLOW_PASSWORD",
            help="Prompted for if missing; demo logins of the local stack need none.",
        ),
    ] = None,
    address: Annotated[
        str | None, typer.Option(help="Gateway URL of another installation; default: the local stack.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON, for scripts.")] = False,
) -> None:
    """Import an Open edX course, and list the elements that CogniFlow has no place for."""
    if address is None:
        stack = require_running_stack().stack
        address = stack.address
        password = password or stack.demo_logins().get(username)
    password = password or typer.prompt(f"Password of {username}", hide_input=True, err=True)
    try:
        result = _send(address, username, password, file, quiet=as_json)
    except PlatformRefused as error:
        fail(f"The import was refused: {error}")
    except httpx.HTTPError as error:
        fail(f"{address} does not answer: {error}", "Is the stack running? cogniflow status")
    if as_json:
        print_json(result)
    else:
        _print(result)


def _send(address: str, username: str, password: str, file: Path, quiet: bool) -> dict[str, Any]:
    columns = (TextColumn("{task.description}"), BarColumn(), DownloadColumn())
    with Progress(*columns, console=console, transient=True, disable=quiet or not console.is_terminal) as bar:
        task = bar.add_task(f"Sending {file.name}", total=file.stat().st_size)
        with bar.open(file, "rb", task_id=task) as archive:
            return gateway_client.import_course(address, username, password, file.name, archive)


def _print(result: dict[str, Any]) -> None:
    console.print(f"[green]✓[/] {result['title']}")
    console.print(f"  course {result['course_id']}", markup=False)
    for name, count in result["counts"].items():
        console.print(f"  {count:5} {name}")
    if result["not_taken_over"]:
        _print_skipped(result["not_taken_over"])
    else:
        console.print("Everything was imported.")


def _print_skipped(entries: list[dict[str, str]]) -> None:
    console.print(f"\n{len(entries)} elements were not imported, in the order of the course:")
    # Grouped, since location names are long and shared by several elements.
    for location, here in groupby(entries, key=itemgetter("location")):
        console.print(f"\n{location or 'the course as a whole'}", style="bold", markup=False)
        table = Table(box=None, padding=(0, 2, 0, 2), show_header=False)
        for entry in here:
            table.add_row(*(Text(entry[column]) for column in ("kind", "name", "reason")))
        console.print(table)
    kinds = Counter(entry["kind"] for entry in entries).most_common()
    console.print("\nIn all: " + ", ".join(f"{count} {kind}" for kind, count in kinds), markup=False)
