"""`cogniflow migrate-legacy`: imports data of the systems that CogniFlow replaces.

Runs `python -m legacy_import` as a process of its own, with the settings of
chat-service in the running stack, and shows its progress and report.
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

from cogniflow_dev.cli.terminal import console, errors, fail, print_json, require_running_stack
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
    apply: Annotated[
        bool, typer.Option("--apply", help="Write to the database; without it, only show the result.")
    ] = False,
    report: Annotated[Path | None, typer.Option(help="File for the report, as JSON.")] = None,
    accounts: Annotated[
        Path | None,
        typer.Option(
            help="CSV with session_id and user_id: the account of each session, also of earlier imports."
        ),
    ] = None,
    program: Annotated[str, typer.Option(help="Slug of the program of progress and states.")] = "driven",
    intake: Annotated[str, typer.Option(help="Slug of the bot's program.")] = "support-intake",
    slug: Annotated[str, typer.Option(help="Slug of the program made of week modules.")] = "driven-legacy",
    yaml: Annotated[Path | None, typer.Option(help="File for that program, to edit.")] = None,
    namespace: Annotated[
        str, typer.Option(help="Distinguishes two systems whose sessions have the same ids.")
    ] = "",
    timezone: Annotated[str, typer.Option(help="Time zone of times without one.")] = "UTC",
    check_safety: Annotated[
        bool, typer.Option("--check-safety", help="Run the safety check on old messages and open reviews.")
    ] = False,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print only the report, as JSON, for scripts.")
    ] = False,
) -> None:
    """Import files of older systems, or show the result without --apply.

    One transaction per file; repeating an import changes nothing. Exit code 1 if a file was
    refused or has errors; the other files are imported.
    """
    stack = require_running_stack().stack
    files = {"--report": report, "--accounts": accounts, "--yaml": yaml}
    texts = {"--program": program, "--intake": intake, "--slug": slug, "--namespace": namespace}
    flags = {"--apply": apply, "--check-safety": check_safety}
    options = _options(files, texts | {"--timezone": timezone}, flags)
    names = [str(path.absolute()) for path in paths or ()]
    result, code = _run(stack, [*options, "--", *names], quiet=as_json)
    if as_json:
        print_json(result)
    else:
        _print(result)
    raise typer.Exit(code)


def _options(files: dict[str, Path | None], texts: dict[str, str], flags: dict[str, bool]) -> list[str]:
    return [
        *(f"{name}={path.absolute()}" for name, path in files.items() if path),
        *(f"{name}={text}" for name, text in texts.items() if text),
        *(name for name, given in flags.items() if given),
    ]


def _run(stack: Stack, arguments: list[str], *, quiet: bool) -> tuple[dict[str, Any], int]:
    """Run the importer; returns its report and exit code. Ends the command if there is no report."""
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
        events = list(_without_progress(worker.stdout, show))
    code = worker.wait()
    report = next((event["report"] for event in events if event.get("event") == "report"), None)
    if report is None:
        _fail_without_report(events, code)
    return dict(report), code


def _fail_without_report(events: list[dict[str, Any]], code: int) -> NoReturn:
    message = next((event["message"] for event in events if event.get("event") == "error"), None)
    if message is not None:
        fail(message, "Is the stack healthy? cogniflow status")
    if code == 2:
        raise typer.Exit(2)  # the importer has printed the usage error
    fail(f"The import ended with exit code {code}; files applied before stay applied, no other changed.")


def _without_progress(lines: Iterator[str], show: "_Bar") -> Iterator[dict[str, Any]]:
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
    """A progress bar, shown after two seconds, on terminals only."""

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
        console.print("\nNothing was changed. Use --apply to import.")


def _print_source(source: dict[str, Any]) -> None:
    status, style = _STATUS[source["status"]]
    names = ", ".join(Path(name).name for name in source["files"])
    console.print(
        Text.assemble((f"\n{names}", "bold"), f"  {source['kind'].replace('_', ' ')}: ", (status, style))
    )
    if source["status"] == "already_applied":
        console.print(f"  at {source['applied_at']}; nothing changes", markup=False)
        return
    _print_counts(source)
    for entry in source["left"]:
        _print_line("skipped", "", f"{entry['count']} {entry['what']}: {entry['reason']}", entry)
    for problem in source["problems"]:
        severity = problem["severity"]
        _print_line(severity, _STYLES[severity], problem["message"], problem)
    _print_todos(source["to_write"])


def _print_counts(source: dict[str, Any]) -> None:
    skipped = Counter[str]()
    for entry in source["left"]:
        skipped[entry["what"]] += entry["count"]
    if source["counts_in"]:
        table = Table("record", "read", "imported", "skipped", box=None, padding=(0, 2, 0, 2))
        for what, count in source["counts_in"].items():
            table.add_row(what, str(count), str(source["taken_over"][what]), str(skipped[what]))
        console.print(table)
    if source["rows"]:
        table = Table("table", "rows", "inserted", "updated", "unchanged", box=None, padding=(0, 2, 0, 2))
        for name, rows in source["rows"].items():
            counts = (rows["rows"], rows["written"], rows["updated"], rows["unchanged"])
            table.add_row(name, *map(str, counts))
        console.print(table)


def _print_line(kind: str, style: str, message: str, occurrences: dict[str, Any]) -> None:
    """Print a message with the first places of `occurrences`."""
    places = occurrences["places"][:_PLACES_SHOWN]
    more = f" and {occurrences['count'] - len(places)} more" if occurrences["count"] > len(places) else ""
    where = f" ({', '.join(places)}{more})" if places else ""
    console.print(Text.assemble((f"  {kind}: ", style), message, (where, "dim")))


def _print_todos(todos: list[dict[str, Any]]) -> None:
    """Print one line per thing to write, with its places."""
    places: dict[str, list[str]] = {}
    for todo in todos:
        where = [f"{part} {todo[part]}" for part in ("week", "question") if todo[part] is not None]
        places.setdefault(todo["needs"], []).append(" ".join([*where, todo["prompt"] or ""]).strip())
    for needs, found in places.items():
        _print_line("to write", "cyan", needs, {"count": len(found), "places": found})
