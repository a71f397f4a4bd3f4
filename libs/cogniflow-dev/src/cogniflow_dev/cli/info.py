"""`cogniflow info`: addresses, process ids and logins of the running stack."""

from typing import Annotated, Any

import typer

from cogniflow_dev.cli.terminal import console, fail, print_json, require_running_stack
from cogniflow_dev.stores import Stores
from cogniflow_dev.supervision import Supervisor, SupervisorError
from cogniflow_dev.topology import SERVICES


def info(as_json: Annotated[bool, typer.Option("--json", help="Print JSON, for scripts.")] = False) -> None:
    """Show addresses, process ids, store URLs and demo logins of the running stack, with passwords.

    Exit code 3 if no stack is running.
    """
    supervisor = require_running_stack()
    try:
        facts = _facts(supervisor)
    except SupervisorError as error:
        fail(f"{error}.")
    if as_json:
        print_json(facts)
    else:
        _print(facts)


def _facts(supervisor: Supervisor) -> dict[str, Any]:
    stack = supervisor.stack
    # The supervisor comes first: it must be ended before the others, since it restarts them.
    pids = {"supervisord": supervisor.identity.pid}
    pids |= {name: state.pid for name, state in supervisor.states().items() if state.pid}
    return {
        "address": stack.address,
        "home": str(stack.home),
        "services": {f"{part}-service": stack.url(f"{part}-service") for part in SERVICES},
        "processes": pids,
        "stores": _store_facts(stack.stores),
        "logins": stack.demo_logins(),
    }


def _store_facts(stores: Stores) -> dict[str, Any]:
    settings = {"postgres": "DATABASE_URL", "mongo": "MONGO_URL", "redis": "REDIS_URL"}
    urls = {part: stores.urls(part) for part in SERVICES}
    return {
        name: {
            "admin_url": admin_url,
            "urls": {part: known[settings[name]] for part, known in urls.items() if settings[name] in known},
        }
        for name, admin_url in stores.admin_urls().items()
    }


def _print(facts: dict[str, Any]) -> None:
    _section("address", {"gateway": facts["address"], **facts["services"]})
    _section("demo logins", facts["logins"])
    _section(
        "stores, as administrator", {name: store["admin_url"] for name, store in facts["stores"].items()}
    )
    _section("process ids", facts["processes"])
    _section("data", {"folder": facts["home"]})


def _section(title: str, rows: dict[str, Any]) -> None:
    console.print(title, style="dim")
    for name, value in rows.items():
        console.print(f"  {name:18} {value}", markup=False)
