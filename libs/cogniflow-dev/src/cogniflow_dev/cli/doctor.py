"""`cogniflow doctor`: checks whether this machine can run the stack."""

from dataclasses import asdict
from typing import Annotated

import typer

from cogniflow_dev.cli.terminal import console, print_json
from cogniflow_dev.doctor import Verdict, examine
from cogniflow_dev.paths import stack_home

_MARKS = {Verdict.FINE: "[green]✓[/]", Verdict.NOTE: "[yellow]![/]", Verdict.PROBLEM: "[bold red]✗[/]"}


def doctor(as_json: Annotated[bool, typer.Option("--json", help="Print JSON, for scripts.")] = False) -> None:
    """Check whether this machine can run the stack, and say how to solve problems.

    Exit code 1 if there is a problem.
    """
    findings = []
    for finding in examine(stack_home()):
        findings.append(finding)
        if not as_json:
            console.print(f"{_MARKS[finding.verdict]} {finding.subject:14}", end=" ")
            console.print(finding.text, markup=False)
            if finding.remedy:
                console.print(f"  → {finding.remedy}", style="yellow", markup=False)
    if as_json:
        print_json([asdict(finding) for finding in findings])
    raise typer.Exit(1 if any(finding.verdict is Verdict.PROBLEM for finding in findings) else 0)
