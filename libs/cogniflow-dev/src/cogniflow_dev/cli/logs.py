"""`cogniflow logs`: shows the logs of the processes."""

from pathlib import Path
from typing import Annotated

import typer

from cogniflow_dev.cli.terminal import NOTHING_RUNS, console, fail
from cogniflow_dev.logs import follow, format_line, last_lines
from cogniflow_dev.paths import stack_home


def logs(
    name: Annotated[str | None, typer.Argument(help="Name of a process; default: all.")] = None,
    follow_on: Annotated[bool, typer.Option("--follow", "-f", help="Keep showing new lines.")] = False,
    lines: Annotated[int, typer.Option("--lines", "-n", min=0, help="Number of last lines to show.")] = 50,
    raw: Annotated[bool, typer.Option("--raw", help="Show lines as written, without formatting.")] = False,
) -> None:
    """Show the logs of the running stack or of the last run."""
    paths = _paths(name)
    for path in paths:
        for line in last_lines(path, lines):
            _show(path, line, raw, several=len(paths) > 1)
    if follow_on:
        try:
            for path, line in follow(paths):
                _show(path, line, raw, several=len(paths) > 1)
        except KeyboardInterrupt:
            raise typer.Exit(0) from None


def _paths(name: str | None) -> list[Path]:
    folder = stack_home() / "logs"
    known = sorted(folder.glob("*.log"))
    if not known:
        fail(f"There are no logs in {folder}.", "Start the stack with ./scripts/up", code=NOTHING_RUNS)
    if name is None:
        return known
    chosen = [path for path in known if path.stem == name]
    if not chosen:
        fail(f"There is no log of {name}.", f"There are: {', '.join(path.stem for path in known)}", code=2)
    return chosen


def _show(path: Path, line: str, raw: bool, several: bool) -> None:
    text = line if raw else format_line(line)
    console.print(f"{path.stem:18} {text}" if several else text, markup=False)
