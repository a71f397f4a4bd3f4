"""What commands share when they talk to people."""

import json
from collections.abc import Callable
from typing import Any, NoReturn

import typer
from rich.console import Console

from cogniflow_dev.paths import stack_home
from cogniflow_dev.startup import find_running
from cogniflow_dev.supervision import Supervisor

NOTHING_RUNS = 3

console = Console(highlight=False, soft_wrap=True)
errors = Console(stderr=True, highlight=False, soft_wrap=True)

Say = Callable[[str], None]


def fail(problem: str, remedy: str = "", code: int = 1) -> NoReturn:
    """Say what is wrong and what to do about it, and end the command."""
    errors.print(problem, style="bold red", markup=False)
    if remedy:
        errors.print(remedy, markup=False)
    raise typer.Exit(code)


def running_stack() -> Supervisor:
    """The stack that runs; ends the command with exit code 3 when there is none."""
    home = stack_home()
    supervisor = find_running(home)
    if supervisor is None:
        fail(f"Nothing is running from {home}.", "Start it with ./scripts/up", code=NOTHING_RUNS)
    return supervisor


def print_json(value: Any) -> None:
    """Exactly one JSON document on standard output, for scripts."""
    typer.echo(json.dumps(value, indent=2, ensure_ascii=False))


def duration(seconds: float) -> str:
    """A length of time in words short enough for a table."""
    minutes, rest = divmod(int(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    days, hours = divmod(hours, 24)
    if days:
        return f"{days} d {hours} h"
    if hours:
        return f"{hours} h {minutes} min"
    return f"{minutes} min {rest} s" if minutes else f"{rest} s"
