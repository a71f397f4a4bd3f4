"""`cogniflow bench`: run one of the benchmarks in bench/."""

import subprocess
import sys
from typing import Annotated

import typer

from cogniflow_dev.cli.output import fail
from cogniflow_dev.paths import repository_root

# What they share beside them has no such line.
_RUNS = 'if __name__ == "__main__":'


def bench(
    context: typer.Context,
    name: Annotated[str, typer.Argument(help="A benchmark, such as `identity`.")],
) -> None:
    """Measure something beside its bare limit; options behind the name are the benchmark's own."""
    folder = repository_root() / "bench"
    known = sorted(path.stem for path in folder.glob("*.py") if _RUNS in path.read_text())
    if name not in known:
        fail(f"There is no benchmark {name}.", f"There are: {', '.join(known)}", code=2)
    done = subprocess.run([sys.executable, str(folder / f"{name}.py"), *context.args], check=False)
    raise typer.Exit(done.returncode)
