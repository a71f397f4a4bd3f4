"""`cogniflow restart`: restarts single processes, for example after a change of their code."""

from typing import Annotated

import typer

from cogniflow_dev.cli.terminal import console, fail, require_running_stack
from cogniflow_dev.readiness import NotReady, wait_until_ready
from cogniflow_dev.supervision import Supervisor, SupervisorError
from cogniflow_dev.topology import Process, processes

_READY_SECONDS = 90.0


def restart(
    names: Annotated[list[str], typer.Argument(help="Names of processes, as `cogniflow status` shows them.")],
) -> None:
    """Restart processes one after the other, and wait until each is healthy again."""
    supervisor = require_running_stack()
    plan = {process.name: process for process in processes(supervisor.stack)}
    if unknown := [name for name in names if name not in plan]:
        fail(f"There is no process {', '.join(unknown)}.", f"There are: {', '.join(plan)}", code=2)
    for name in names:
        try:
            _restart(supervisor, plan[name])
        except (NotReady, SupervisorError) as error:
            fail(f"{error}.", f"cogniflow logs {name}")
        console.print(f"[green]✓[/] {name}")


def _restart(supervisor: Supervisor, process: Process) -> None:
    supervisor.restart_process(process)
    wait_until_ready(
        process.name, process.check, _READY_SECONDS, lambda: supervisor.states()[process.name].alive
    )
