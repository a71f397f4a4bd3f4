"""Progress of a start: a bar on a terminal, a line per process anywhere."""

import time
from types import TracebackType
from typing import Self

from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TextColumn

from cogniflow_dev.cli.terminal import console


class StartProgress:
    """Shows which processes are ready and which ones are awaited."""

    def __init__(self, total: int) -> None:
        self._began = time.monotonic()
        self._awaited: list[str] = []
        columns = (SpinnerColumn(), BarColumn(), MofNCompleteColumn(), TextColumn("{task.description}"))
        self._bar = Progress(*columns, console=console, transient=True, disable=not console.is_terminal)
        self._task = self._bar.add_task("Starting", total=total)

    def __enter__(self) -> Self:
        self._bar.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._bar.stop()

    def report(self, name: str, event: str) -> None:
        """Show that a process is "starting" or "ready"."""
        if event == "starting":
            self._awaited.append(name)
        else:
            self._awaited.remove(name)
            elapsed = time.monotonic() - self._began
            console.print(f"[green]✓[/] {name:18} [dim]after {elapsed:.1f} s[/]")
            self._bar.advance(self._task)
        self._bar.update(self._task, description=f"Starting {', '.join(self._awaited)}")
