"""MongoDB as a replica set with one member and authentication."""

import sys

import pymongo
from pymongo.errors import PyMongoError

from cogniflow_dev.paths import repository_root
from cogniflow_dev.ports import LOOPBACK
from cogniflow_dev.stores.binaries import mongod_binary
from cogniflow_dev.stores.server import StoreServer, run

REPLICA_SET = "rs0"


class Mongo(StoreServer):
    """The document store; each service that uses it has a database and a user of its own."""

    name = "mongo"

    def prepare(self) -> None:
        self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)

    def command(self) -> list[str]:
        script = repository_root() / "deploy" / "mongo-start.sh"
        return ["sh", str(script), str(self.folder), str(self.port), LOOPBACK]

    def settings(self) -> dict[str, str]:
        return self.secret_settings("MONGO_KEYFILE")

    def tuning(self) -> dict[str, str]:
        return {"MONGOD": str(mongod_binary())}

    def setup_settings(self) -> dict[str, str]:
        users = (f"{service}_MONGO_PASSWORD" for service in ("COURSES", "CHAT", "ANALYTICS"))
        return {
            **self.secret_settings("MONGO_ROOT_PASSWORD", *users),
            "MONGO_MEMBER": f"{LOOPBACK}:{self.port}",
        }

    def problem(self) -> str | None:
        try:
            with pymongo.MongoClient[dict[str, object]](
                LOOPBACK,
                self.port,
                directConnection=True,
                serverSelectionTimeoutMS=1000,
                socketTimeoutMS=5000,
            ) as client:
                client.admin.command("hello")
        except PyMongoError as error:
            return str(error)
        return None

    def provision(self) -> None:
        """Initiate the replica set, or update its port, and create the users."""
        script = repository_root() / "deploy" / "mongo_setup.py"
        run(self.name, [sys.executable, script, f"{LOOPBACK}:{self.port}"], self.setup_settings())

    def url(self, service: str) -> str:
        """The MONGO_URL of one service, whose database is named cogniflow_SERVICE."""
        password = self.secrets.environment()[f"{service.upper()}_MONGO_PASSWORD"]
        database = f"cogniflow_{service}"
        target = f"{LOOPBACK}:{self.port}/{database}?replicaSet={REPLICA_SET}&authSource={database}"
        return f"mongodb://{service}:{password}@{target}"

    def admin_url(self) -> str:
        """The URL of the user root."""
        target = f"{LOOPBACK}:{self.port}/?replicaSet={REPLICA_SET}&authSource=admin"
        return f"mongodb://root:{self.secrets.mongo_root_password}@{target}"
