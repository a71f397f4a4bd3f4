"""Output shared by all commands: text, errors, JSON."""

import json
from typing import Any, NoReturn

import typer
from rich.console import Console

from cogniflow_dev.paths import stack_home
from cogniflow_dev.startup import find_running
from cogniflow_dev.supervision import Supervisor

NOTHING_RUNS = 3

console = Console(highlight=False, soft_wrap=True)
errors = Console(stderr=True, highlight=False, soft_wrap=True)


def fail(problem: str, remedy: str = "", code: int = 1) -> NoReturn:
    """Print what is wrong and what to do about it, and end the command."""
    errors.print(problem, style="bold red", markup=False)
    if remedy:
        errors.print(remedy, markup=False)
    raise typer.Exit(code)


def require_running_stack() -> Supervisor:
    """The supervisor of the running stack; ends the command with exit code 3 if there is none."""
    home = stack_home()
    supervisor = find_running(home)
    if supervisor is None:
        fail(f"Nothing is running from {home}.", "Start it with ./scripts/up", code=NOTHING_RUNS)
    return supervisor


def print_json(value: Any) -> None:
    """Print one JSON document to standard output."""
    typer.echo(json.dumps(value, indent=2, ensure_ascii=False))


def format_duration(seconds: float) -> str:
    """A short text such as `3 h 12 min`, for tables."""
    minutes, rest = divmod(int(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    days, hours = divmod(hours, 24)
    if days:
        return f"{days} d {hours} h"
    if hours:
        return f"{hours} h {minutes} min"
    return f"{minutes} min {rest} s" if minutes else f"{rest} s"
