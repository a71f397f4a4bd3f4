"""`cogniflow migrate-legacy`: take over what the systems before CogniFlow left behind.

The work is chat-service's own: it runs as a process of its own, with the
settings that chat-service has in the running stack, and says how far it is.
"""

import json
import os
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any, NoReturn

import typer
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn
from rich.table import Table
from rich.text import Text

from cogniflow_dev.cli.output import console, errors, fail, print_json, running_stack
from cogniflow_dev.stack import Stack
from cogniflow_dev.topology import processes

_MODULE = "legacy_import"
_SHOWN_AFTER_SECONDS = 2.0
_STATUS = {
    "applied": ("applied", "green"),
    "would_apply": ("would be applied", "green"),
    "already_applied": ("was applied before", "dim"),
    "refused": ("refused", "bold red"),
    "failed": ("failed", "bold red"),
}
_STYLES = {"error": "bold red", "warning": "yellow", "note": "dim"}
_PLACES_SHOWN = 3


def migrate_legacy(
    paths: Annotated[
        list[Path] | None,
        typer.Argument(
            help="Files, or folders of them: week modules (Python), user_progress.json, a dump of"
            " conversation_states, the bot's SQLite database or its SQL."
        ),
    ] = None,
    apply: Annotated[bool, typer.Option("--apply", help="Write it. Without this nothing changes.")] = False,
    report: Annotated[Path | None, typer.Option(help="Write the report there, as JSON.")] = None,
    accounts: Annotated[
        Path | None,
        typer.Option(
            help="CSV with session_id and user_id: whose a session is. Also for sessions taken over before."
        ),
    ] = None,
    program: Annotated[str, typer.Option(help="Progress and states go on in this program.")] = "driven",
    intake: Annotated[str, typer.Option(help="The bot's sessions go on in this program.")] = "support-intake",
    slug: Annotated[str, typer.Option(help="The program that week modules become.")] = "driven-legacy",
    yaml: Annotated[Path | None, typer.Option(help="Write that program there, to edit.")] = None,
    namespace: Annotated[
        str, typer.Option(help="Keeps two systems apart whose sessions have the same names.")
    ] = "",
    timezone: Annotated[str, typer.Option(help="Of times that name none.")] = "UTC",
    check_safety: Annotated[
        bool, typer.Option("--check-safety", help="Let today's safety check read old messages, for review.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="For scripts: the report alone.")] = False,
) -> None:
    """Show what would become of old files, or apply it: one transaction a file, and nothing twice.

    Exit code 1 when a file was refused or has errors; what else there was is done all the same.
    """
    stack = running_stack().stack
    options: dict[str, object | None] = {
        "--report": report and report.absolute(),
        "--accounts": accounts and accounts.absolute(),
        "--program": program,
        "--intake": intake,
        "--slug": slug,
        "--yaml": yaml and yaml.absolute(),
        "--namespace": namespace,
        "--timezone": timezone,
    }
    given = [f"{name}={value}" for name, value in options.items() if value]
    given += ["--apply"] if apply else []
    given += ["--check-safety"] if check_safety else []
    found, code = _run(stack, [*given, "--", *(str(path.absolute()) for path in paths or ())], quiet=as_json)
    if as_json:
        print_json(found)
    else:
        _print(found)
    raise typer.Exit(code)


def _run(stack: Stack, arguments: list[str], *, quiet: bool) -> tuple[dict[str, Any], int]:
    """The report and the exit code; ends the command when there is no report."""
    service = next(process for process in processes(stack) if process.name == "chat-service")
    worker = subprocess.Popen(
        [sys.executable, "-m", _MODULE, *arguments],
        env={**os.environ, **service.environment},
        stdout=subprocess.PIPE,
        text=True,
        encoding="utf-8",
    )
    assert worker.stdout is not None
    with _bar(quiet=quiet) as show:
        said = list(_followed(worker.stdout, show))
    code = worker.wait()
    report = next((event["report"] for event in said if event.get("event") == "report"), None)
    if report is None:
        _no_report(said, code)
    return dict(report), code


def _no_report(said: list[dict[str, Any]], code: int) -> NoReturn:
    message = next((event["message"] for event in said if event.get("event") == "error"), None)
    if message is not None:
        fail(message, "Is the stack healthy? cogniflow status")
    if code == 2:
        raise typer.Exit(2)  # it has said what is wrong with the arguments
    fail(f"The import ended with exit code {code}; what it had applied by then stays, the rest is untouched.")


def _followed(lines: Iterator[str], show: "_Bar") -> Iterator[dict[str, Any]]:
    for line in lines:
        try:
            event = json.loads(line)
        except ValueError:
            errors.print(line.rstrip(), markup=False)
            continue
        if event.get("event") == "progress":
            show(event["source"], event["done"], event["total"])
        else:
            yield event


class _Bar:
    """A bar for what takes more than two seconds; on no terminal there is none."""

    def __init__(self, bar: Progress) -> None:
        self._bar = bar
        self._began = time.monotonic()
        self._task = bar.add_task("", total=None)

    def __call__(self, source: str, done: int, total: int) -> None:
        if time.monotonic() - self._began > _SHOWN_AFTER_SECONDS:
            self._bar.start()
        self._bar.update(self._task, description=Path(source).name, completed=done, total=total)


@contextmanager
def _bar(*, quiet: bool) -> Iterator[_Bar]:
    columns = (TextColumn("{task.description}", markup=False), BarColumn(), MofNCompleteColumn())
    bar = Progress(*columns, console=console, transient=True, disable=quiet or not console.is_terminal)
    try:
        yield _Bar(bar)
    finally:
        bar.stop()


def _print(report: dict[str, Any]) -> None:
    for source in report["sources"]:
        _print_source(source)
    if not report["applied"]:
        console.print("\nNothing was changed. --apply does it.")


def _print_source(source: dict[str, Any]) -> None:
    words, style = _STATUS[source["status"]]
    names = ", ".join(Path(name).name for name in source["files"])
    console.print(
        Text.assemble((f"\n{names}", "bold"), f"  {source['kind'].replace('_', ' ')}: ", (words, style))
    )
    if source["status"] == "already_applied":
        console.print(f"  at {source['applied_at']}; nothing changes", markup=False)
        return
    _print_counts(source)
    for entry in source["left"]:
        _print_line("left", "", f"{entry['count']} {entry['what']}: {entry['reason']}", entry)
    for problem in source["problems"]:
        severity = problem["severity"]
        _print_line(severity, _STYLES[severity], problem["message"], problem)
    _print_todos(source["to_write"])


def _print_counts(source: dict[str, Any]) -> None:
    left = Counter[str]()
    for entry in source["left"]:
        left[entry["what"]] += entry["count"]
    if source["counts_in"]:
        table = Table("read", "count", "taken over", "left", box=None, padding=(0, 2, 0, 2))
        for what, count in source["counts_in"].items():
            table.add_row(what, str(count), str(source["taken_over"][what]), str(left[what]))
        console.print(table)
    if source["rows"]:
        table = Table("table", "rows", "new", "changed", "there already", box=None, padding=(0, 2, 0, 2))
        for name, rows in source["rows"].items():
            counts = (rows["rows"], rows["written"], rows["updated"], rows["unchanged"])
            table.add_row(name, *map(str, counts))
        console.print(table)


def _print_line(kind: str, style: str, words: str, seen: dict[str, Any]) -> None:
    """`seen`: the number of places, and the first of them."""
    places = seen["places"][:_PLACES_SHOWN]
    more = f" and {seen['count'] - len(places)} more" if seen["count"] > len(places) else ""
    where = f" ({', '.join(places)}{more})" if places else ""
    console.print(Text.assemble((f"  {kind}: ", style), words, (where, "dim")))


def _print_todos(todos: list[dict[str, Any]]) -> None:
    """One line for each thing to write, with the places that need it."""
    places: dict[str, list[str]] = {}
    for todo in todos:
        where = [f"{part} {todo[part]}" for part in ("week", "question") if todo[part] is not None]
        places.setdefault(todo["needs"], []).append(" ".join([*where, todo["prompt"] or ""]).strip())
    for needs, found in places.items():
        _print_line("to write", "cyan", needs, {"count": len(found), "places": found})
