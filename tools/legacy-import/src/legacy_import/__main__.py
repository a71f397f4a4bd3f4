"""`python -m legacy_import FILE...`: import data of older systems; without --apply only show the result.

Prints one JSON object per line: `{"event": "progress", …}` during the import,
`{"event": "report", "report": {…}}` at the end. Exit code 0: done; 1: a
source was refused or failed; 2: wrong usage.
"""

import argparse
import json
import sys
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import ValidationError
from sqlalchemy.exc import SQLAlchemyError

from chat_service.settings import Settings
from cogniflow_kit.errors import ServiceError
from cogniflow_kit.logging import configure_logging
from cogniflow_kit.sql.database import Database
from legacy_import.apply.accounts import UnreadableAccounts, read_accounts
from legacy_import.apply.run import Import, Outcome
from legacy_import.apply.sessions import Options
from legacy_import.ledger import Ledger
from legacy_import.sources import Source, SourceReader
from legacy_import.week_modules.draft import ProgramDraft

_SUCCESSFUL = ("applied", "would_apply", "already_applied")


def main(arguments: Sequence[str] | None = None) -> int:
    parser = _parser()
    given = parser.parse_args(arguments)
    if not given.paths and given.accounts is None:
        parser.error("give a file, a folder or --accounts")
    accounts_ledger = Ledger()
    try:
        accounts = read_accounts(given.accounts, accounts_ledger) if given.accounts else dict[str, UUID]()
    except UnreadableAccounts as error:
        parser.error(str(error))
    options = Options(
        program=given.program,
        intake=given.intake,
        namespace=given.namespace,
        check_safety=given.check_safety,
        accounts=accounts,
        accounts_file=given.accounts,
        accounts_ledger=accounts_ledger,
    )
    sources = SourceReader(given.slug, given.timezone).read(given.paths)
    if given.yaml is not None:
        _write_yaml(given.yaml, sources)
    try:
        report = _report(_run(options, sources, apply=given.apply), applied=given.apply)
    except (ServiceError, SQLAlchemyError, ValidationError) as error:
        _print_event({"event": "error", "message": _error_message(error)})
        return 1
    if given.report is not None:
        given.report.write_text(json.dumps(report, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
    _print_event({"event": "report", "report": report})
    return 0 if report["ok"] else 1


def _run(options: Options, sources: Sequence[Source], *, apply: bool) -> list[Outcome]:
    settings = Settings()
    configure_logging(settings.service, "WARNING")
    with closing(Database(settings.database_url.get_secret_value(), application="legacy-import")) as database:
        imports = Import(database, options, _Progress())
        return [*imports.apply(sources), *imports.apply_accounts()] if apply else imports.show(sources)


def _error_message(error: Exception) -> str:
    if isinstance(error, ValidationError):
        names = ", ".join(str(found["loc"][0]).upper() for found in error.errors())
        return f"chat-service's settings are missing or wrong: {names}"
    return f"PostgreSQL can't be used: {str(error).splitlines()[0]}"


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m legacy_import", description=__doc__)
    parser.add_argument("paths", nargs="*", type=Path, metavar="PATH", help="a file, or a folder of files")
    parser.add_argument(
        "--apply", action="store_true", help="write to the database; without this nothing changes"
    )
    parser.add_argument("--report", type=Path, metavar="FILE.json", help="also write the report to this file")
    parser.add_argument(
        "--accounts",
        type=Path,
        metavar="FILE.csv",
        help="account of each session: columns session_id,user_id",
    )
    parser.add_argument("--program", default="driven", help="slug of the program of progress and states")
    parser.add_argument("--intake", default="support-intake", help="slug of the bot's program")
    parser.add_argument("--slug", default="driven-legacy", help="slug of the program made of week modules")
    parser.add_argument("--yaml", type=Path, metavar="FILE.yaml", help="write that program to this file")
    parser.add_argument("--namespace", default="", help="distinguishes systems with the same session names")
    parser.add_argument("--timezone", type=_zone, default="UTC", help="time zone of times without one")
    parser.add_argument(
        "--check-safety", action="store_true", help="run the safety check on old messages and open reviews"
    )
    return parser


def _zone(name: str) -> ZoneInfo:
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise argparse.ArgumentTypeError(f"{name!r} is no time zone") from error


def _write_yaml(path: Path, sources: Sequence[Source]) -> None:
    for source in sources:
        if isinstance(source.content, ProgramDraft):
            path.write_text(source.content.yaml(), encoding="utf-8")


def _report(outcomes: Sequence[Outcome], *, applied: bool) -> dict[str, Any]:
    found = [outcome.as_json() for outcome in outcomes]
    failed = any(
        entry["status"] not in _SUCCESSFUL
        or any(problem["severity"] == "error" for problem in entry["problems"])
        for entry in found
    )
    return {"version": 1, "applied": applied, "ok": not failed, "sources": found}


class _Progress:
    """Prints one line per whole percent, since files may hold thousands of sessions."""

    def __init__(self) -> None:
        self._last: tuple[str, int] = ("", -1)

    def __call__(self, source: str, done: int, total: int) -> None:
        now = (source, done * 100 // total)
        if now != self._last:
            self._last = now
            _print_event({"event": "progress", "source": source, "done": done, "total": total})


def _print_event(event: dict[str, Any]) -> None:
    sys.stdout.write(json.dumps(event, ensure_ascii=True) + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
