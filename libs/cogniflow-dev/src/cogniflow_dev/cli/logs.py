"""`cogniflow logs`: what the processes write."""

from pathlib import Path
from typing import Annotated

import typer

from cogniflow_dev.cli.output import NOTHING_RUNS, console, fail
from cogniflow_dev.logs import follow, last_lines, readable
from cogniflow_dev.paths import stack_home


def logs(
    name: Annotated[str | None, typer.Argument(help="One process; all of them without it.")] = None,
    follow_on: Annotated[bool, typer.Option("--follow", "-f", help="Go on as more is written.")] = False,
    lines: Annotated[int, typer.Option("--lines", "-n", min=0, help="How many of the last lines.")] = 50,
    raw: Annotated[bool, typer.Option("--raw", help="As written, without making it readable.")] = False,
) -> None:
    """Show the logs of a running stack, or of the last run."""
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
    text = line if raw else readable(line)
    console.print(f"{path.stem:18} {text}" if several else text, markup=False)
