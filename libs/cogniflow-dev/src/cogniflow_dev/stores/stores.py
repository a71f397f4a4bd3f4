"""The three stores of one stack: data folders, ports, URLs."""

from dataclasses import dataclass
from pathlib import Path

from cogniflow_dev.secrets import Secrets
from cogniflow_dev.stores.mongo import Mongo
from cogniflow_dev.stores.postgres import Postgres
from cogniflow_dev.stores.redis import Redis
from cogniflow_dev.stores.server import StoreServer

# The services that have a database in MongoDB; all four have a role in PostgreSQL and a user in Redis.
MONGO_SERVICES = frozenset({"courses", "chat", "analytics"})


@dataclass(frozen=True)
class StorePorts:
    """TCP ports on the loopback interface."""

    postgres: int
    mongo: int
    redis: int


@dataclass(frozen=True)
class Stores:
    """The stores in one folder, running or not."""

    directory: Path
    secrets: Secrets
    ports: StorePorts

    @property
    def postgres(self) -> Postgres:
        return Postgres(self.directory / "postgres", self.ports.postgres, self.secrets)

    @property
    def mongo(self) -> Mongo:
        return Mongo(self.directory / "mongo", self.ports.mongo, self.secrets)

    @property
    def redis(self) -> Redis:
        return Redis(self.directory / "redis", self.ports.redis, self.secrets)

    def servers(self) -> tuple[StoreServer, ...]:
        """All three, in the order in which they are shown."""
        return self.postgres, self.mongo, self.redis

    def urls(self, service: str) -> dict[str, str]:
        """DATABASE_URL, REDIS_URL and, where it has one, MONGO_URL of a service such as `users`."""
        urls = {"DATABASE_URL": self.postgres.url(service), "REDIS_URL": self.redis.url(service)}
        if service in MONGO_SERVICES:
            urls["MONGO_URL"] = self.mongo.url(service)
        return urls

    def admin_urls(self) -> dict[str, str]:
        """The administrator's URL of each store, by its name; for setup, backups and tests."""
        servers = (self.postgres, self.mongo, self.redis)
        return {server.name: server.admin_url() for server in servers}
