"""`cogniflow programs`: for authors of guided programs."""

import subprocess
import sys
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.table import Table

from cogniflow_dev.admin_client import AdminClient
from cogniflow_dev.cli.admin import Address, AsJson, Password, Username, admin_client
from cogniflow_dev.cli.terminal import console, errors, fail, print_json
from cogniflow_dev.paths import repository_root

programs = typer.Typer(help="Guided programs: check, publish and label their versions.", no_args_is_help=True)

Slug = Annotated[str, typer.Argument(help="Slug of the program, such as driven.")]
Label = Annotated[
    str, typer.Argument(help="Name of a label. New participants begin the version labeled production.")
]
Version = Annotated[int, typer.Argument(min=1, help="Number of a published version.")]
_PRODUCTION = "production"


@programs.callback()
def _group() -> None:
    """Guided programs."""


@programs.command()
def validate(
    files: Annotated[list[Path], typer.Argument(help="Programs in YAML.")], as_json: AsJson = False
) -> None:
    """Check programs and list their problems by week and question. Needs no running stack."""
    _offline("validate", files, as_json)


@programs.command("test")
def run_stories(
    files: Annotated[list[Path], typer.Argument(help="Stories in YAML, or folders of them.")],
    as_json: AsJson = False,
) -> None:
    """Run stories with the real coach, and list unexpected answers. Needs no running stack."""
    folder = repository_root() / "content" / "programs"
    _offline("test", files, as_json, "--programs", str(folder))


@programs.command()
def diff(
    old: Annotated[Path, typer.Argument(help="A program in YAML.")],
    new: Annotated[Path, typer.Argument(help="Another version of it.")],
    as_json: AsJson = False,
) -> None:
    """Compare two versions by week, question, prompt and field. Needs no running stack."""
    _offline("diff", [old, new], as_json)


@programs.command("import")
def import_program(
    file: Annotated[
        Path, typer.Argument(exists=True, dir_okay=False, readable=True, help="A program in YAML.")
    ],
    username: Username = "admin",
    password: Password = None,
    address: Address = None,
    as_json: AsJson = False,
) -> None:
    """Publish a version. Participants begin it only after a label points at it; can be repeated."""
    source = {"content": file.read_bytes(), "headers": {"Content-Type": "application/yaml"}}
    with admin_client(username, password, address) as client:
        found = client.call("POST", "/api/programs/validate", **source).json()
        version = _publish(client, found["slug"], source) if found["valid"] else None
    if as_json:
        problems = [{"file": str(file), **problem} for problem in found["problems"]]
        print_json({"published": version, "problems": problems})
    elif version is not None:
        console.print(f"{found['slug']} version {version['version']} is published.", style="green")
        console.print(f"Labels that point at it: {', '.join(version['labels']) or 'none'}", markup=False)
    else:
        for problem in found["problems"]:
            errors.print(f"{file}: {_format_problem(problem)}", markup=False)
        if found["more"]:
            errors.print(f"{file}: {found['more']} more problems", markup=False)
    raise typer.Exit(0 if version is not None else 1)


@programs.command()
def export(
    slug: Slug,
    version: Annotated[
        int | None, typer.Option(min=1, help="Default: the version labeled production.")
    ] = None,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="File to write; default: standard output.")
    ] = None,
    username: Username = "admin",
    password: Password = None,
    address: Address = None,
) -> None:
    """Print or save a published version as YAML."""
    with admin_client(username, password, address) as client:
        number = version or _labels(client, slug).get(_PRODUCTION)
        if number is None:
            fail(f"No label production of {slug}.", "Give a version: --version 1")
        text = client.call("GET", f"/api/programs/{slug}/versions/{number}/source").text
    if output is None:
        typer.echo(text, nl=False)
    else:
        output.write_text(text, encoding="utf-8")


@programs.command()
def labels(
    slug: Slug,
    username: Username = "admin",
    password: Password = None,
    address: Address = None,
    as_json: AsJson = False,
) -> None:
    """List the labels and their versions."""
    with admin_client(username, password, address) as client:
        found = client.call("GET", f"/api/programs/{slug}/labels").json()["labels"]
    if as_json:
        print_json(found)
        return
    table = Table("label", "version", "moved at", box=None, padding=(0, 2, 0, 0))
    for label in found:
        table.add_row(label["label"], str(label["version"]), label["moved_at"])
    console.print(table)


@programs.command()
def label(
    slug: Slug,
    label: Label,
    version: Version,
    username: Username = "admin",
    password: Password = None,
    address: Address = None,
    as_json: AsJson = False,
) -> None:
    """Point a label at a version. Running participants stay on the version they began."""
    with admin_client(username, password, address) as client:
        moved = client.call("PUT", f"/api/programs/{slug}/labels/{label}", json={"version": version}).json()
    _print_label(slug, moved, as_json)


@programs.command()
def rollback(
    slug: Slug,
    label: Label,
    username: Username = "admin",
    password: Password = None,
    address: Address = None,
    as_json: AsJson = False,
) -> None:
    """Undo the last move of a label; repeat it to go further back."""
    with admin_client(username, password, address) as client:
        moved = client.call("POST", f"/api/programs/{slug}/labels/{label}/rollback").json()
    _print_label(slug, moved, as_json)


@programs.command()
def move(
    slug: Slug,
    version: Version,
    from_version: Annotated[
        int | None, typer.Option("--from", min=1, help="Move only sessions of this version.")
    ] = None,
    apply: Annotated[
        bool, typer.Option("--apply", help="Move the sessions; without it only show the result.")
    ] = False,
    username: Username = "admin",
    password: Password = None,
    address: Address = None,
    as_json: AsJson = False,
) -> None:
    """Move running sessions to a version, or show what that would do to each."""
    body = {"from_version": from_version, "dry_run": not apply}
    found: list[dict[str, Any]] = []
    params: dict[str, Any] = {"limit": 100}
    with admin_client(username, password, address) as client:
        while True:
            path = f"/api/programs/{slug}/versions/{version}/move"
            page = client.call("POST", path, json=body, params=params).json()
            found += page["items"]
            if page["next_cursor"] is None:
                break
            params["cursor"] = page["next_cursor"]
    if as_json:
        print_json({"dry_run": not apply, "sessions": found})
    else:
        _print_moves(found, apply)


def _offline(command: str, files: list[Path], as_json: bool, *more: str) -> None:
    """Run a command of chat_service.programs.authoring in a process of its own."""
    options = [*more, *(["--json"] if as_json else [])]
    paths = [str(path) for path in files]
    done = subprocess.run(
        [sys.executable, "-m", "chat_service.programs.authoring", command, *options, "--", *paths],
        check=False,
    )
    raise typer.Exit(done.returncode)


def _publish(client: AdminClient, slug: str, source: dict[str, Any]) -> dict[str, Any]:
    return dict(client.call("POST", f"/api/programs/{slug}/versions", **source).json())


def _labels(client: AdminClient, slug: str) -> dict[str, int]:
    found = client.call("GET", f"/api/programs/{slug}/labels").json()["labels"]
    return {label["label"]: label["version"] for label in found}


def _format_problem(problem: dict[str, Any]) -> str:
    place = ", ".join(f"{part} {problem[part]}" for part in ("week", "question", "prompt") if problem[part])
    return ": ".join(filter(None, (place, problem["message"])))


def _print_label(slug: str, label: dict[str, Any], as_json: bool) -> None:
    if as_json:
        print_json(label)
    else:
        console.print(f"{slug}: {label['label']} points at version {label['version']}.", markup=False)


def _print_moves(found: list[dict[str, Any]], applied: bool) -> None:
    for session in found:
        ends = (
            _format_position(session["stands_at"])
            if session["obstacle"] is None
            else f"stays: {session['obstacle']}"
        )
        line = f"{session['session_id']}: {_format_position(session['at'])} → {ends}"
        details = [session["fate"] or "", *_changed_answers(session["changed_answers"])]
        console.print(f"{line} ({', '.join(filter(None, details))})", markup=False)
    count = sum(session["obstacle"] is None for session in found)
    verb = "moved" if applied else "would be moved; --apply does it"
    console.print(f"{count} of {len(found)} sessions {verb}.", markup=False)


def _changed_answers(spots: list[dict[str, int]]) -> list[str]:
    return [f"answers whose question changed: {len(spots)}"] if spots else []


def _format_position(spot: dict[str, int] | None) -> str:
    return f"week {spot['week']}, question {spot['question']}" if spot else "?"
