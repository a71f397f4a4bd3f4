"""What `cogniflow up` prints when the stack is ready."""

from rich.table import Table

from cogniflow_dev.cli.terminal import console
from cogniflow_dev.stack import USUAL_PORTS, Stack


def print_next_steps(address: str, logins: dict[str, str], commands: dict[str, str]) -> None:
    """Print the address, the demo logins and the next steps. `commands`: description by command."""
    console.print(f"\n[bold green]CogniFlow is ready:[/] [bold]{address}/[/]\n")
    table = Table("log in as", "password", box=None, padding=(0, 3, 0, 0), header_style="dim")
    for username, password in logins.items():
        table.add_row(username, password)
    console.print(table)
    console.print("\nWhat to try next", style="dim")
    width = max(map(len, commands))
    console.print(f"  open {address}/ for the address of each part's interactive documentation")
    for command, effect in commands.items():
        console.print(f"  {command:{width}}  {effect}", markup=False)


def print_replaced_ports(stack: Stack) -> None:
    """Print each port that differs from the usual one."""
    for name, port in stack.ports.items():
        if port != USUAL_PORTS[name]:
            console.print(
                f"{name} listens on port {port}, since {USUAL_PORTS[name]} was taken", style="yellow"
            )
