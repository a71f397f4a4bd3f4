"""`cogniflow mails`: the outbox, for reading mails where no mail server is set."""

from typing import Annotated, Any

import typer

from cogniflow_dev.cli.as_admin import Address, AsJson, Password, Username, as_admin
from cogniflow_dev.cli.output import console, print_json


def mails(
    number: Annotated[int, typer.Option("-n", min=1, max=100, help="How many.")] = 10,
    username: Username = "admin",
    password: Password = None,
    address: Address = None,
    as_json: AsJson = False,
) -> None:
    """Show the newest mails, with their links where no mail server sends them. Reading is recorded."""
    with as_admin(username, password, address) as client:
        newest = client.newest_mails(number)
    if as_json:
        print_json(newest)
    elif newest:
        for mail in reversed(newest):
            _print(mail)
    else:
        console.print("No mails are waiting.")


def _print(mail: dict[str, Any]) -> None:
    console.rule(f"{mail['created_at']}  to {mail['recipient']}", align="left")
    console.print(mail["subject"], style="bold", markup=False)
    console.print(mail["body"] or "(sent by the mail server)", markup=False, soft_wrap=True)
