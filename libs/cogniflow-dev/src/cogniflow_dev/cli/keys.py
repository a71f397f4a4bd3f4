"""`cogniflow keys`: the keys that tokens are signed with."""

import typer

from cogniflow_dev.cli.as_admin import Address, AsJson, Password, Username, as_admin
from cogniflow_dev.cli.output import console, print_json

keys = typer.Typer(help="The keys that tokens are signed with.", no_args_is_help=True)


@keys.callback()
def _group() -> None:
    """The keys that tokens are signed with."""


@keys.command()
def rotate(
    username: Username = "admin",
    password: Password = None,
    address: Address = None,
    as_json: AsJson = False,
) -> None:
    """Replace the signing key. Nobody is logged out: older tokens stay good until they expire."""
    with as_admin(username, password, address) as client:
        rotation = client.rotate_keys()
    if as_json:
        print_json(rotation)
    else:
        console.print(f"[green]✓[/] key {rotation['kid']} signs in {rotation['signs_in']} s")
