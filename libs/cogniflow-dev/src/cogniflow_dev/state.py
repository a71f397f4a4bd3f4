"""state.json: ports and supervisor of a stack, read by later commands."""

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self

from cogniflow_dev.ports import PortReservations, free_ports
from cogniflow_dev.processes import ProcessIdentity
from cogniflow_dev.secrets import write_private
from cogniflow_dev.stack import USUAL_PORTS


@dataclass
class State:
    """The content of state.json. Ports are kept after a stop, so that addresses stay the same."""

    ports: dict[str, int] = field(default_factory=dict)
    supervisor: ProcessIdentity | None = None

    @classmethod
    def load(cls, home: Path) -> Self:
        """Read the file; a missing one is an empty state."""
        path = _path(home)
        if not path.exists():
            return cls()
        saved = json.loads(path.read_text())
        supervisor = saved.get("supervisor")
        return cls(saved.get("ports", {}), ProcessIdentity(**supervisor) if supervisor else None)

    def save(self, home: Path) -> None:
        supervisor = self.supervisor and vars(self.supervisor)
        write_private(
            _path(home), json.dumps({"ports": self.ports, "supervisor": supervisor}, indent=2) + "\n"
        )


def choose_ports(
    kept: dict[str, int], reservations: PortReservations, usual: dict[str, int] = USUAL_PORTS
) -> dict[str, int]:
    """Reserve a port for each process: its last one, else its usual one, else any free one."""
    chosen: dict[str, int] = {}
    for name, usual_port in usual.items():
        preferred = (kept.get(name, usual_port), usual_port)
        chosen[name] = next((port for port in preferred if reservations.reserve(port)), 0)
    for name, port in chosen.items():
        chosen[name] = port or _any_port(reservations)
    return chosen


def _any_port(reservations: PortReservations) -> int:
    while True:
        (port,) = free_ports(1)
        if reservations.reserve(port):
            return port


def _path(home: Path) -> Path:
    return home / "state.json"
