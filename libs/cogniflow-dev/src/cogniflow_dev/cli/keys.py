"""`cogniflow keys`: the keys that tokens are signed with."""

import typer

from cogniflow_dev.cli.admin import Address, AsJson, Password, Username, admin_client
from cogniflow_dev.cli.terminal import console, print_json

keys = typer.Typer(help="Keys that sign tokens.", no_args_is_help=True)


@keys.callback()
def _group() -> None:
    """Keys that sign tokens."""


@keys.command()
def rotate(
    username: Username = "admin",
    password: Password = None,
    address: Address = None,
    as_json: AsJson = False,
) -> None:
    """Replace the signing key. No user is logged out: issued tokens stay valid until they expire."""
    with admin_client(username, password, address) as client:
        rotation = client.rotate_keys()
    if as_json:
        print_json(rotation)
    else:
        console.print(f"[green]✓[/] key {rotation['kid']} signs in {rotation['signs_in']} s")
