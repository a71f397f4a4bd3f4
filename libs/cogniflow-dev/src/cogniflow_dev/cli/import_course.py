"""`cogniflow import-course`: bring an Open edX course in."""

from pathlib import Path
from typing import Annotated, Any

import httpx
import typer
from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn
from rich.table import Table
from rich.text import Text

from cogniflow_dev.cli.output import console, fail, print_json, running_stack
from cogniflow_dev.gateway_client import PlatformClient, PlatformRefused


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
    as_json: Annotated[bool, typer.Option("--json", help="For scripts.")] = False,
) -> None:
    """Import a course into the running stack, and list what was not taken over."""
    stack = running_stack().stack
    if password is None:
        password = stack.demo_logins().get(username) or typer.prompt("Password", hide_input=True, err=True)
    try:
        client = PlatformClient.log_in(stack.address, username, password)
        result = _send(client, file, quiet=as_json)
    except PlatformRefused as error:
        fail(f"The import was refused: {error}")
    except httpx.HTTPError as error:
        fail(f"{stack.address} does not answer: {error}", "cogniflow status")
    if as_json:
        print_json(result)
    else:
        _print(result)


def _send(client: PlatformClient, file: Path, quiet: bool) -> dict[str, Any]:
    columns = (TextColumn("{task.description}"), BarColumn(), DownloadColumn())
    with Progress(*columns, console=console, transient=True, disable=quiet or not console.is_terminal) as bar:
        task = bar.add_task(f"Sending {file.name}", total=file.stat().st_size)
        with bar.open(file, "rb", task_id=task) as archive:
            return client.import_course(file.name, archive)


def _print(result: dict[str, Any]) -> None:
    console.print(f"[green]✓[/] {result['title']}")
    console.print(f"  course {result['course_id']}", markup=False)
    for name, count in result["counts"].items():
        console.print(f"  {count:5} {name}")
    left_out = result["not_taken_over"]
    if not left_out:
        console.print("Everything was taken over.")
        return
    console.print(f"\n{len(left_out)} parts were not taken over:")
    table = Table("kind", "name", "where", "reason", box=None, padding=(0, 2, 0, 0), header_style="dim")
    for item in left_out:
        table.add_row(*(Text(item[key]) for key in ("kind", "name", "location", "reason")))
    console.print(table)
