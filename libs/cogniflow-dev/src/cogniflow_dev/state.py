"""What one run of the stack leaves for the next command: its ports and its supervisor."""

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
    """The file state.json. The ports outlive the stack, so that its addresses are the same next time."""

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
    """A free port for each process, set aside for it: the one it had, else its usual one, else any."""
    chosen: dict[str, int] = {}
    for name, usual_port in usual.items():
        preferred = (kept.get(name, usual_port), usual_port)
        chosen[name] = next((port for port in preferred if reservations.take(port)), 0)
    for name, port in chosen.items():
        chosen[name] = port or _any_port(reservations)
    return chosen


def _any_port(reservations: PortReservations) -> int:
    while True:
        (port,) = free_ports(1)
        if reservations.take(port):
            return port


def _path(home: Path) -> Path:
    return home / "state.json"
