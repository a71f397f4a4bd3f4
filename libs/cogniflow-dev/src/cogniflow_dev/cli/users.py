"""`cogniflow users`: manages accounts."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer
from rich.progress import track
from rich.table import Table
from rich.text import Text

from cogniflow_dev.cli.admin import Address, AsJson, Password, Username, admin_client
from cogniflow_dev.cli.terminal import console, fail, print_json
from cogniflow_dev.user_import import Outcome, Report, Row, UnreadableFile, import_row, read_rows

users = typer.Typer(help="Manage accounts.", no_args_is_help=True)
_STYLES = {Outcome.CREATED: "green", Outcome.INVITED: "green", Outcome.REFUSED: "bold red"}


@users.callback()
def _group() -> None:
    """Manage accounts."""


@users.command("import")
def import_users(
    file: Annotated[
        Path,
        typer.Argument(
            exists=True,
            dir_okay=False,
            readable=True,
            help="CSV in UTF-8 with the columns username, email, full_name, role and optionally password.",
        ),
    ],
    username: Username = "admin",
    password: Password = None,
    address: Address = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Show the outcome of each row; change nothing.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Create an account for each row. Users without a password get a link by mail to set one.

    Existing accounts are reported and don't change, so the import can be repeated. Exit code 1 if a
    row was refused.
    """
    try:
        rows = read_rows(file)
    except UnreadableFile as error:
        fail(str(error))
    with admin_client(username, password, address) as client:
        reports = [import_row(client, row, dry_run=dry_run) for row in _tracked(rows, quiet=as_json)]
    if as_json:
        rows_out = [asdict(report) for report in reports]
        print_json({"dry_run": dry_run, "counts": _counts(reports), "rows": rows_out})
    else:
        _print(reports, dry_run)
    raise typer.Exit(1 if any(report.outcome is Outcome.REFUSED for report in reports) else 0)


def _tracked(rows: list[Row], quiet: bool) -> Iterable[Row]:
    disable = quiet or not console.is_terminal
    return track(rows, "Importing", console=console, transient=True, disable=disable)


def _counts(reports: list[Report]) -> dict[str, int]:
    found = Counter(report.outcome for report in reports)
    return {outcome.value: found[outcome] for outcome in Outcome}


def _print(reports: list[Report], dry_run: bool) -> None:
    table = Table("line", "username", "outcome", "detail", box=None, padding=(0, 2, 0, 0))
    for report in reports:
        outcome = Text(report.outcome, style=_STYLES.get(report.outcome, ""))
        table.add_row(str(report.line), Text(report.username), outcome, Text(report.detail))
    console.print(table)
    counts = ", ".join(f"{count} {outcome}" for outcome, count in _counts(reports).items())
    console.print(f"{'Without changing anything: ' if dry_run else ''}{counts}", markup=False)
