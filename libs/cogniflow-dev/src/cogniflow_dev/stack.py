"""A local stack: its folder, ports and secrets."""

from dataclasses import dataclass
from pathlib import Path

from cogniflow_dev.paths import repository_root
from cogniflow_dev.ports import LOOPBACK
from cogniflow_dev.secrets import Secrets
from cogniflow_dev.stores import StorePorts, Stores

# Port by process name; a taken port is replaced by a free one.
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
    """The configuration of one stack, running or not."""

    home: Path
    ports: dict[str, int]
    secrets: Secrets

    @property
    def root(self) -> Path:
        """The checkout with the deployment files and the bundled content."""
        return repository_root()

    @property
    def run_folder(self) -> Path:
        """Working folder of the processes: heartbeats, configuration and process id of the supervisor."""
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
        """The gateway's URL, which browsers use."""
        return self.url("gateway")

    def url(self, process: str) -> str:
        """The base URL of an HTTP process."""
        return f"http://{LOOPBACK}:{self.ports[process]}"

    def log(self, process: str) -> Path:
        return self.log_folder / f"{process}.log"

    def demo_logins(self) -> dict[str, str]:
        """Password by username."""
        environment = self.secrets.environment()
        return {name: environment[f"DEMO_{name.upper()}_PASSWORD"] for name in DEMO_LOGINS}
