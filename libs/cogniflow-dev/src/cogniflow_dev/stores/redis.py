"""Redis or Valkey, durable, with one ACL user per service."""

from redis import Redis as Client
from redis.exceptions import RedisError

from cogniflow_dev.paths import repository_root
from cogniflow_dev.ports import LOOPBACK
from cogniflow_dev.stores.binaries import redis_binary
from cogniflow_dev.stores.server import StoreServer


class Redis(StoreServer):
    """The store of queues, caches and presence."""

    name = "redis"

    def prepare(self) -> None:
        self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)

    def command(self) -> list[str]:
        script = repository_root() / "deploy" / "redis-start.sh"
        return ["sh", str(script), str(self.folder), str(self.port), LOOPBACK]

    def settings(self) -> dict[str, str]:
        users = (f"{service}_REDIS_PASSWORD" for service in ("USERS", "COURSES", "CHAT", "ANALYTICS"))
        return self.secret_settings("REDIS_PASSWORD", *users)

    def tuning(self) -> dict[str, str]:
        return {"REDIS_SERVER": str(redis_binary())}

    def setup_settings(self) -> dict[str, str]:
        return {}

    def problem(self) -> str | None:
        client = Client.from_url(self.admin_url(), socket_connect_timeout=5, socket_timeout=5)
        try:
            client.ping()
        except RedisError as error:
            return str(error)
        finally:
            client.close()
        return None

    def provision(self) -> None:
        """Nothing to do: the start script writes the users into the server's configuration."""

    def url(self, service: str) -> str:
        """The REDIS_URL of one service's user."""
        password = self.secrets.environment()[f"{service.upper()}_REDIS_PASSWORD"]
        return f"redis://{service}:{password}@{LOOPBACK}:{self.port}/0"

    def admin_url(self) -> str:
        """The URL of the default user, who has all permissions."""
        return f"redis://default:{self.secrets.redis_password}@{LOOPBACK}:{self.port}/0"
