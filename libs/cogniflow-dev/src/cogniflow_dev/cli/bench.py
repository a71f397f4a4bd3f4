"""`cogniflow bench`: run one of the benchmarks in bench/."""

import subprocess
import sys
from typing import Annotated

import typer

from cogniflow_dev.cli.terminal import fail
from cogniflow_dev.paths import repository_root

# Benchmarks have this line, their shared modules don't.
_MAIN_LINE = 'if __name__ == "__main__":'


def bench(
    context: typer.Context,
    name: Annotated[str, typer.Argument(help="Name of a benchmark, such as `identity`.")],
) -> None:
    """Run a benchmark. Options after its name are passed on to it; try --help."""
    folder = repository_root() / "bench"
    known = sorted(path.stem for path in folder.glob("*.py") if _MAIN_LINE in path.read_text())
    if name not in known:
        fail(f"There is no benchmark {name}.", f"There are: {', '.join(known)}", code=2)
    done = subprocess.run([sys.executable, str(folder / f"{name}.py"), *context.args], check=False)
    raise typer.Exit(done.returncode)
