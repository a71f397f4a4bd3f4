"""`cogniflow down`: stops the stack."""

import time
from typing import Annotated

import typer

from cogniflow_dev.cli.docker import compose_down
from cogniflow_dev.cli.terminal import console
from cogniflow_dev.paths import stack_home
from cogniflow_dev.startup import clean_up_after_crash, find_running, stop


def down(
    docker: Annotated[bool, typer.Option("--docker", help="Stop the Docker Compose stack instead.")] = False,
) -> None:
    """Stop all processes, the stores last. The data stays."""
    if docker:
        compose_down()
        return
    home = stack_home()
    supervisor = find_running(home)
    if supervisor:
        began = time.monotonic()
        with console.status("Stopping; data is being written to disk"):
            stop(supervisor)
        console.print(f"Everything stopped ({time.monotonic() - began:.0f} s).")
    elif ended := clean_up_after_crash(home):
        console.print(f"The supervisor was gone; ended the {len(ended)} processes that it had left running.")
    else:
        console.print(f"Nothing is running from {home}.")
