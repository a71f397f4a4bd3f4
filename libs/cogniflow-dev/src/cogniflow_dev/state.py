"""What one run of the stack leaves for the next command: its ports and its supervisor."""

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self

from cogniflow_dev.ports import free_ports, is_free
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


def choose_ports(kept: dict[str, int], usual: dict[str, int] = USUAL_PORTS) -> dict[str, int]:
    """A free port for each process: the one it had, else its usual one, else any."""
    chosen: dict[str, int] = {}
    for name, usual_port in usual.items():
        candidates = [port for port in (kept.get(name), usual_port) if port and port not in chosen.values()]
        chosen[name] = next((port for port in candidates if is_free(port)), 0)
    missing = [name for name, port in chosen.items() if not port]
    return {**chosen, **dict(zip(missing, free_ports(len(missing), avoid=chosen.values()), strict=True))}


def _path(home: Path) -> Path:
    return home / "state.json"
