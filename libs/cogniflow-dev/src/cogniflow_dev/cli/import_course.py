"""`cogniflow import-course`: bring an Open edX course in."""

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
from cogniflow_dev.cli.output import console, fail, print_json, running_stack
from cogniflow_dev.gateway_client import PlatformRefused


def import_course(
    file: Annotated[
        Path, typer.Argument(exists=True, dir_okay=False, readable=True, help="OLX archive, .tar.gz")
    ],
    username: Annotated[str, typer.Option("--username", "-u", help="An instructor.")] = "instructor",
    password: Annotated[
        str | None,
        typer.Option(
            envvar="COGNIFLOW_PASSWORD", help="Asked for when not given; the demo login needs none."
        ),
    ] = None,
    address: Annotated[
        str | None, typer.Option(help="The gateway of another installation; without it, the local stack's.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="For scripts.")] = False,
) -> None:
    """Import a course, and list what was not taken over."""
    if address is None:
        stack = running_stack().stack
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
        _print_left_out(result["not_taken_over"])
    else:
        console.print("Everything was taken over.")


def _print_left_out(entries: list[dict[str, str]]) -> None:
    console.print(f"\n{len(entries)} things were not taken over, in the order of the course:")
    # A place at a time, since its name is long and shared by several.
    for location, here in groupby(entries, key=itemgetter("location")):
        console.print(f"\n{location or 'the course as a whole'}", style="bold", markup=False)
        table = Table(box=None, padding=(0, 2, 0, 2), show_header=False)
        for entry in here:
            table.add_row(*(Text(entry[column]) for column in ("kind", "name", "reason")))
        console.print(table)
    kinds = Counter(entry["kind"] for entry in entries).most_common()
    console.print("\nIn all: " + ", ".join(f"{count} {kind}" for kind, count in kinds), markup=False)
