"""`cogniflow programs`: guided programs, for their authors."""

import subprocess
import sys
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.table import Table

from cogniflow_dev.admin_client import AdminClient
from cogniflow_dev.cli.as_admin import Address, AsJson, Password, Username, as_admin
from cogniflow_dev.cli.output import console, errors, fail, print_json
from cogniflow_dev.paths import repository_root

programs = typer.Typer(help="Guided programs: check, publish and label their versions.", no_args_is_help=True)

Slug = Annotated[str, typer.Argument(help="The program's name in addresses, such as driven.")]
Label = Annotated[
    str, typer.Argument(help="production is what people begin; candidate and others are yours.")
]
Version = Annotated[int, typer.Argument(min=1, help="A published version.")]
_PRODUCTION = "production"


@programs.callback()
def _group() -> None:
    """Guided programs."""


@programs.command()
def validate(
    files: Annotated[list[Path], typer.Argument(help="Programs as YAML.")], as_json: AsJson = False
) -> None:
    """Say what keeps programs from being published: file, week, question. Needs no running stack."""
    _offline("validate", files, as_json)


@programs.command("test")
def play_stories(
    files: Annotated[list[Path], typer.Argument(help="Stories as YAML, or folders of them.")],
    as_json: AsJson = False,
) -> None:
    """Play stories with the real coach, and say where it answered otherwise. Needs no running stack."""
    folder = repository_root() / "content" / "programs"
    _offline("test", files, as_json, "--programs", str(folder))


@programs.command()
def diff(
    old: Annotated[Path, typer.Argument(help="A program as YAML.")],
    new: Annotated[Path, typer.Argument(help="Its other version.")],
    as_json: AsJson = False,
) -> None:
    """What differs between two versions, by week, question, prompt and field. Needs no running stack."""
    _offline("diff", [old, new], as_json)


@programs.command("import")
def import_program(
    file: Annotated[Path, typer.Argument(exists=True, dir_okay=False, readable=True, help="YAML.")],
    username: Username = "admin",
    password: Password = None,
    address: Address = None,
    as_json: AsJson = False,
) -> None:
    """Publish a version. Nobody begins it before a label points at it. Twice is like once."""
    source = {"content": file.read_bytes(), "headers": {"Content-Type": "application/yaml"}}
    with as_admin(username, password, address) as client:
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
            errors.print(f"{file}: {_placed(problem)}", markup=False)
        if found["more"]:
            errors.print(f"{file}: {found['more']} problems more", markup=False)
    raise typer.Exit(0 if version is not None else 1)


@programs.command()
def export(
    slug: Slug,
    version: Annotated[int | None, typer.Option(min=1, help="Without it, what production points at.")] = None,
    output: Annotated[Path | None, typer.Option("--output", "-o", help="A file, not the screen.")] = None,
    username: Username = "admin",
    password: Password = None,
    address: Address = None,
) -> None:
    """A published version as YAML that its authors would write."""
    with as_admin(username, password, address) as client:
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
    """Where each label points."""
    with as_admin(username, password, address) as client:
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
    """Point a label at a version, at once. Who has begun another version stays on it."""
    with as_admin(username, password, address) as client:
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
    """Point a label back at where it pointed before; each time one move further back."""
    with as_admin(username, password, address) as client:
        moved = client.call("POST", f"/api/programs/{slug}/labels/{label}/rollback").json()
    _print_label(slug, moved, as_json)


@programs.command()
def move(
    slug: Slug,
    version: Version,
    from_version: Annotated[int | None, typer.Option("--from", min=1, help="Only from this version.")] = None,
    apply: Annotated[bool, typer.Option("--apply", help="Move them; without it, only say.")] = False,
    username: Username = "admin",
    password: Password = None,
    address: Address = None,
    as_json: AsJson = False,
) -> None:
    """Say what moving running sessions to a version does to each, or move them."""
    body = {"from_version": from_version, "dry_run": not apply}
    found: list[dict[str, Any]] = []
    params: dict[str, Any] = {"limit": 100}
    with as_admin(username, password, address) as client:
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
    """Run what the service itself checks with, in a process of its own."""
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


def _placed(problem: dict[str, Any]) -> str:
    place = ", ".join(f"{part} {problem[part]}" for part in ("week", "question", "prompt") if problem[part])
    return ": ".join(filter(None, (place, problem["message"])))


def _print_label(slug: str, label: dict[str, Any], as_json: bool) -> None:
    if as_json:
        print_json(label)
    else:
        console.print(f"{slug}: {label['label']} points at version {label['version']}.", markup=False)


def _print_moves(found: list[dict[str, Any]], applied: bool) -> None:
    for one in found:
        ends = _spot(one["stands_at"]) if one["obstacle"] is None else f"stays: {one['obstacle']}"
        words = f"{one['session_id']}: {_spot(one['at'])} → {ends}"
        details = [one["fate"] or "", *_changed(one["changed_answers"])]
        console.print(f"{words} ({', '.join(filter(None, details))})", markup=False)
    count = sum(one["obstacle"] is None for one in found)
    verb = "moved" if applied else "would be moved; --apply does it"
    console.print(f"{count} of {len(found)} sessions {verb}.", markup=False)


def _changed(spots: list[dict[str, int]]) -> list[str]:
    return [f"answers whose question changed: {len(spots)}"] if spots else []


def _spot(spot: dict[str, int] | None) -> str:
    return f"week {spot['week']}, question {spot['question']}" if spot else "?"
