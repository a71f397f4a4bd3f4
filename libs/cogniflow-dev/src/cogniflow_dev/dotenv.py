"""Reads and writes .env, the settings of Docker Compose."""

import re
from pathlib import Path

from cogniflow_dev.ports import LOOPBACK, free_ports, is_free
from cogniflow_dev.secrets import Secrets, write_private

_SETTING = re.compile(r"^(?P<name>[A-Z][A-Z0-9_]*)=(?P<value>.*)$", re.MULTILINE)

_PORTS = ("GATEWAY_PORT", "USERS_PORT", "COURSES_PORT", "CHAT_PORT", "ANALYTICS_PORT")


def read_env(path: Path) -> dict[str, str]:
    """The settings in a file of NAME=value lines, as Compose reads ours: no quotes, no expansion."""
    return {match["name"]: match["value"].strip() for match in _SETTING.finditer(path.read_text())}


def write_env(path: Path, example: Path) -> dict[str, str]:
    """Write .env from the example, with random secrets and free ports; returns the ports that had to change.

    Only the owner may read the file.
    """
    values = read_env(example)
    taken = [name for name in _PORTS if not is_free(int(values[name]))]
    replaced = {name: str(port) for name, port in zip(taken, free_ports(len(taken)), strict=True)}
    new = {**Secrets().environment(), **replaced}
    new["PUBLIC_URL"] = f"http://{LOOPBACK}:{new.get('GATEWAY_PORT', values['GATEWAY_PORT'])}"

    def fill(setting: re.Match[str]) -> str:
        return f"{setting['name']}={new.get(setting['name'], setting['value'])}"

    text = _SETTING.sub(fill, example.read_text())
    introduction = (
        "# Made by `cogniflow up --docker`, with random secrets. .env.example explains each setting.\n\n"
    )
    write_private(path, introduction + text[text.index("\n\n") + 2 :])
    return replaced
