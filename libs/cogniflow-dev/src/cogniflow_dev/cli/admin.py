"""What commands share that act as an administrator."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated

import httpx
import typer

from cogniflow_dev.admin_client import AdminClient
from cogniflow_dev.cli.output import fail, running_stack
from cogniflow_dev.gateway_client import PlatformRefused

Username = Annotated[str, typer.Option("--username", "-u", help="An administrator.")]
Password = Annotated[
    str | None,
    typer.Option(envvar="COGNIFLOW_PASSWORD", help="Asked for when not given; the demo login needs none."),
]
Address = Annotated[
    str | None, typer.Option(help="The gateway of another installation; without it, the local stack's.")
]
AsJson = Annotated[bool, typer.Option("--json", help="For scripts.")]


@contextmanager
def as_admin(username: str, password: str | None, address: str | None) -> Iterator[AdminClient]:
    """Logged in for a block; ends the command when that or anything in the block is refused."""
    if address is None:
        stack = running_stack().stack
        address = stack.address
        password = password or stack.demo_logins().get(username)
    password = password or typer.prompt(f"Password of {username}", hide_input=True, err=True)
    try:
        with AdminClient(address, username, password) as client:
            yield client
    except PlatformRefused as error:
        fail(f"This was refused: {error}")
    except httpx.HTTPError as error:
        fail(f"{address} does not answer: {error}", "Is the stack running? cogniflow status")
