"""`cogniflow mails`: shows outgoing mails, for installations without a mail server."""

from typing import Annotated, Any

import typer

from cogniflow_dev.cli.admin import Address, AsJson, Password, Username, admin_client
from cogniflow_dev.cli.terminal import console, print_json


def mails(
    number: Annotated[int, typer.Option("-n", min=1, max=100, help="Number of mails to show.")] = 10,
    username: Username = "admin",
    password: Password = None,
    address: Address = None,
    as_json: AsJson = False,
) -> None:
    """Show the newest outgoing mails; with their text if no mail server is configured.

    users-service records each access.
    """
    with admin_client(username, password, address) as client:
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
