"""A local stack: where it lives, on which ports, with which secrets."""

from dataclasses import dataclass
from pathlib import Path

from cogniflow_dev.paths import repository_root
from cogniflow_dev.ports import LOOPBACK
from cogniflow_dev.secrets import Secrets
from cogniflow_dev.stores import StorePorts, Stores

# Port by process name; another is taken when one of these is not free.
USUAL_PORTS = {
    "gateway": 8080,
    "users-service": 8001,
    "courses-service": 8002,
    "chat-service": 8003,
    "analytics-service": 8004,
    "postgres": 5432,
    "mongo": 27017,
    "redis": 6379,
}

DEMO_LOGINS = ("learner", "instructor", "admin")


@dataclass(frozen=True)
class Stack:
    """Everything about one stack that its processes are configured from; running or not."""

    home: Path
    ports: dict[str, int]
    secrets: Secrets

    @property
    def root(self) -> Path:
        """The checkout with the deployment files and the bundled content."""
        return repository_root()

    @property
    def run_folder(self) -> Path:
        """Where processes run: heartbeats, the supervisor's configuration, its process id."""
        return self.home / "run"

    @property
    def log_folder(self) -> Path:
        """One file per process, named after it."""
        return self.home / "logs"

    @property
    def stores(self) -> Stores:
        """The three stores, whose data is in the folder `data`."""
        ports = StorePorts(self.ports["postgres"], self.ports["mongo"], self.ports["redis"])
        return Stores(self.home / "data", self.secrets, ports)

    @property
    def address(self) -> str:
        """The origin that people and browsers use."""
        return self.url("gateway")

    def url(self, process: str) -> str:
        """The base URL of a process that speaks HTTP."""
        return f"http://{LOOPBACK}:{self.ports[process]}"

    def log(self, process: str) -> Path:
        return self.log_folder / f"{process}.log"

    def demo_logins(self) -> dict[str, str]:
        """Password by username."""
        environment = self.secrets.environment()
        return {name: environment[f"DEMO_{name.upper()}_PASSWORD"] for name in DEMO_LOGINS}
