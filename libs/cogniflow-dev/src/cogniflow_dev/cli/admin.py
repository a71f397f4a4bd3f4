"""Options and login of the commands that act as an administrator."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated

import httpx
import typer

from cogniflow_dev.admin_client import AdminClient
from cogniflow_dev.cli.terminal import fail, require_running_stack
from cogniflow_dev.gateway_client import PlatformRefused

Username = Annotated[str, typer.Option("--username", "-u", help="Username of an administrator.")]
Password = Annotated[
    str | None,
    typer.Option(
        envvar="COGNIFLOW_PASSWORD", help="Prompted for if missing; demo logins of the local stack need none."
    ),
]
Address = Annotated[
    str | None, typer.Option(help="Gateway URL of another installation; default: the local stack.")
]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON, for scripts.")]


@contextmanager
def admin_client(username: str, password: str | None, address: str | None) -> Iterator[AdminClient]:
    """Log in for the block. Ends the command if the login or a request in the block is refused."""
    if address is None:
        stack = require_running_stack().stack
        address = stack.address
        password = password or stack.demo_logins().get(username)
    password = password or typer.prompt(f"Password of {username}", hide_input=True, err=True)
    try:
        with AdminClient(address, username, password) as client:
            yield client
    except PlatformRefused as error:
        fail(f"The request was refused: {error}")
    except httpx.HTTPError as error:
        fail(f"{address} does not answer: {error}", "Is the stack running? cogniflow status")
