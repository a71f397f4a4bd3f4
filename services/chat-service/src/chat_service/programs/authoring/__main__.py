"""`python -m chat_service.programs.authoring validate|test|diff …`: checks program files.

Reads files and writes to standard output; needs no store and no settings. The
exit code is 1 when there is a problem.
"""

import argparse
import json
import sys
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from chat_service.programs.authoring.diff import as_json, as_text, compare
from chat_service.programs.authoring.validation_report import ValidationReport, examine
from chat_service.programs.content.validation_messages import ValidationMessage
from chat_service.programs.stories.runner import StoryReport, run_stories


def main(arguments: Sequence[str] | None = None) -> int:
    chosen = _parser().parse_args(arguments)
    status: int = chosen.run(chosen)
    return status


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m chat_service.programs.authoring")
    commands = parser.add_subparsers(required=True)
    validate = commands.add_parser("validate", help="say what keeps programs from being published")
    validate.set_defaults(run=_validate)
    test = commands.add_parser("test", help="play stories")
    test.add_argument("--programs", type=Path, default=Path("content/programs"), help="folder of programs")
    test.set_defaults(run=_test)
    for command in (validate, test):
        command.add_argument("files", nargs="+", type=Path, metavar="FILE")
    diff = commands.add_parser("diff", help="compare two versions")
    diff.add_argument("files", nargs=2, type=Path, metavar="FILE")
    diff.set_defaults(run=_diff)
    for command in (validate, test, diff):
        command.add_argument("--json", action="store_true", help="for scripts")
    return parser


def _validate(chosen: argparse.Namespace) -> int:
    found = {path: _examine(path) for path in chosen.files}
    valid = all(report.valid for report in found.values())
    if chosen.json:
        files = [_validation_json(path, report) for path, report in found.items()]
        _print(json.dumps({"valid": valid, "files": files}, indent=2, ensure_ascii=False))
    else:
        for path, report in found.items():
            _print(_report_text(path, report))
    return 0 if valid else 1


def _test(chosen: argparse.Namespace) -> int:
    report = run_stories(chosen.files, chosen.programs)
    _print(json.dumps(_report_json(report), indent=2, ensure_ascii=False) if chosen.json else str(report))
    return 0 if report.ok else 1


def _diff(chosen: argparse.Namespace) -> int:
    found = {path: _examine(path) for path in chosen.files}
    programs = [report.program for report in found.values() if report.program is not None]
    if len(programs) < len(found):
        return _validate(chosen)
    difference = compare(programs[0], programs[-1])
    if chosen.json:
        _print(json.dumps(as_json(difference), indent=2, ensure_ascii=False))
    else:
        _print(as_text(difference, " → ".join(str(path) for path in chosen.files)).rstrip())
    return 0


def _examine(path: Path) -> ValidationReport:
    try:
        return examine(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        return ValidationReport("", None, [ValidationMessage(message=f"cannot be read: {error}")])


def _report_text(path: Path, report: ValidationReport) -> str:
    program = report.program
    if program is not None:
        questions = sum(len(week.questions) for week in program.weeks)
        counts = f"weeks: {len(program.weeks)}, questions: {questions}"
        return f"{path}: {program.slug} version {program.version} can be published ({counts})"
    lines = [": ".join(filter(None, (str(path), one.place, one.message))) for one in report.problems]
    return "\n".join([*lines, *([f"{path}: {report.more} problems more"] if report.more else [])])


def _validation_json(path: Path, report: ValidationReport) -> dict[str, Any]:
    return {
        "file": str(path),
        "valid": report.valid,
        "slug": report.slug,
        "version": report.version,
        "problems": [{"file": str(path), **asdict(problem)} for problem in report.problems],
        "more": report.more,
    }


def _report_json(report: StoryReport) -> dict[str, Any]:
    failed = [{"story": one.case.title, "failures": one.failures} for one in report.failed]
    return {"ok": report.ok, "played": len(report.played), "failed": failed, "problems": report.problems}


def _print(words: str) -> None:
    sys.stdout.write(f"{words}\n")


if __name__ == "__main__":
    sys.exit(main())
