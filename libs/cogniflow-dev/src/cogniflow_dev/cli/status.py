"""`cogniflow status`: health of the running stack."""

from dataclasses import asdict
from typing import Annotated

import typer
from rich.table import Table

from cogniflow_dev.cli.terminal import console, fail, format_duration, print_json, require_running_stack
from cogniflow_dev.status import ProcessStatus, check_processes, total_memory
from cogniflow_dev.supervision import SupervisorError

_MEBIBYTE = 1024**2


def status(as_json: Annotated[bool, typer.Option("--json", help="Print JSON, for scripts.")] = False) -> None:
    """Show health, uptime, memory and response time of each process. Exit code 1 if one is unhealthy."""
    supervisor = require_running_stack()
    try:
        statuses = check_processes(supervisor)
    except SupervisorError as error:
        fail(f"{error}.", "It may be stopping. If it stays so: cogniflow down")
    healthy = all(item.healthy for item in statuses)
    if as_json:
        processes = {item.name: _without_name(item) for item in statuses}
        print_json({"healthy": healthy, "memory_bytes": total_memory(statuses), "processes": processes})
    else:
        _print_table(statuses)
        console.print(f"\n{supervisor.stack.address}/")
    raise typer.Exit(0 if healthy else 1)


def _without_name(item: ProcessStatus) -> dict[str, object]:
    return {name: value for name, value in asdict(item).items() if name != "name"}


def _print_table(statuses: list[ProcessStatus]) -> None:
    table = Table(box=None, padding=(0, 2, 0, 0), header_style="dim", footer_style="bold", show_footer=True)
    table.add_column("process", "total")
    table.add_column("health")
    table.add_column("pid", justify="right")
    table.add_column("up for", justify="right")
    table.add_column("answers in", justify="right")
    table.add_column("memory", _mebibytes(total_memory(statuses)), justify="right")
    for item in statuses:
        table.add_row(
            item.name,
            "[green]healthy[/]" if item.healthy else f"[red]{item.problem}[/]",
            str(item.pid or ""),
            format_duration(item.uptime_seconds) if item.pid else "",
            f"{item.latency_ms:.1f} ms" if item.latency_ms is not None else "",
            _mebibytes(item.memory_bytes),
        )
    console.print(table)


def _mebibytes(size: int) -> str:
    return f"{size / _MEBIBYTE:,.0f} MiB"
