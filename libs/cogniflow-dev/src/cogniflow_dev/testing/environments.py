"""A private database, collection space and Redis database for each test process."""

import fcntl
import subprocess
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager
from typing import Any

import psycopg2
from psycopg2.extensions import cursor as Cursor  # noqa: N812 -- a class in lower case
from psycopg2.sql import SQL, Identifier
from pymongo import MongoClient

from cogniflow_dev.paths import repository_root
from cogniflow_dev.stores import Stores
from cogniflow_dev.stores.binaries import postgres_binary
from cogniflow_dev.stores.stores import MONGO_SERVICES

Prepare = Callable[[Mapping[str, Any]], None]
_ROLES = repository_root() / "deploy" / "postgres-roles.sql"
_CLOSED = "http://127.0.0.1:9"


class ServiceEnvironments:
    """Provides keyword arguments for a service's Settings.

    The service's tables are created once per test run in a template database;
    each test process gets a clone of it, which takes about 50 ms.
    """

    def __init__(self, stores: Stores, worker: str) -> None:
        self._stores = stores
        self._worker = worker
        self._mongo: MongoClient[dict[str, Any]] = MongoClient(stores.mongo.admin_url())
        self._made: dict[str, dict[str, Any]] = {}

    def __call__(self, name: str, prepare: Prepare) -> dict[str, Any]:
        if name not in self._made:
            self._made[name] = self._make(name, prepare)
        return dict(self._made[name])

    def close(self) -> None:
        self._mongo.close()

    def _make(self, name: str, prepare: Prepare) -> dict[str, Any]:
        template, clone = f"template_{name}", f"{name}_{self._worker}"
        with self._lock(), closing(psycopg2.connect(self._stores.postgres.admin_url("postgres"))) as admin:
            admin.autocommit = True
            with admin.cursor() as cursor:
                cursor.execute("SELECT datname FROM pg_database")
                existing = {row[0] for row in cursor.fetchall()}
                if template not in existing:
                    cursor.execute(SQL("CREATE DATABASE {}").format(Identifier(template)))
                    self._create_schemas(template)
                    self._lift_connection_limits(cursor)
                    prepare(self._settings(name, template))
                cursor.execute(
                    SQL("CREATE DATABASE {} TEMPLATE {}").format(*map(Identifier, (clone, template)))
                )
        return self._settings(name, clone)

    def _settings(self, name: str, database: str) -> dict[str, Any]:
        secrets = self._stores.secrets.environment()
        urls = self._stores.urls(name)
        settings: dict[str, Any] = {
            "cogniflow_env": "test",
            "log_level": "INFO",
            "public_url": "http://cogniflow.test",
            "users_url": _CLOSED,
            "courses_url": _CLOSED,
            "chat_url": _CLOSED,
            "analytics_url": _CLOSED,
            "service_client_secret": secrets[f"{name.upper()}_CLIENT_SECRET"],
            "database_url": urls["DATABASE_URL"].rpartition("/")[0] + f"/{database}",
            "redis_url": urls["REDIS_URL"].rpartition("/")[0] + f"/{self._redis_number()}",
            "content_dir": repository_root() / "content",
        }
        if name in MONGO_SERVICES:
            settings["mongo_url"] = self._mongo_url(name)
        if name == "chat":
            settings["settings_encryption_secret"] = secrets["SETTINGS_ENCRYPTION_SECRET"]
        if name == "users":
            settings["erasure_ledger"] = self._stores.directory / f"{database}-erasures.jsonl"
            own = ("KEY_ENCRYPTION_SECRET", "_CLIENT_SECRET", "DEMO_")
            settings |= {key.lower(): value for key, value in secrets.items() if key.startswith(own[2])}
            settings |= {key.lower(): value for key, value in secrets.items() if key.endswith(own[:2])}
        return settings

    def _mongo_url(self, name: str) -> str:
        database = f"cogniflow_{name}_{self._worker}"
        password = self._stores.secrets.environment()[f"{name.upper()}_MONGO_PASSWORD"]
        users = self._mongo[database].command("usersInfo", name)["users"]
        if not users:
            roles = ["readWrite", "dbAdmin"]
            self._mongo[database].command("createUser", name, pwd=password, roles=roles)
        port = self._stores.ports.mongo
        return f"mongodb://{name}:{password}@127.0.0.1:{port}/{database}?replicaSet=rs0&authSource={database}"

    def _redis_number(self) -> int:
        """One of Redis's sixteen databases per test process."""
        return 15 if self._worker == "main" else int(self._worker.removeprefix("gw")) % 15

    def _create_schemas(self, database: str) -> None:
        subprocess.run(
            [str(postgres_binary("psql")), "--no-psqlrc", "--quiet", "--file", str(_ROLES)],
            env={
                **self._stores.secrets.environment(),
                "PGHOST": "127.0.0.1",
                "PGPORT": str(self._stores.ports.postgres),
                "PGUSER": "cogniflow",
                "PGPASSWORD": self._stores.secrets.postgres_password,
                "PGDATABASE": database,
            },
            check=True,
        )

    def _lift_connection_limits(self, cursor: Cursor) -> None:
        """Remove the roles' connection limits, since all test processes share the roles."""
        for role in ("users", "courses", "chat", "analytics"):
            cursor.execute(SQL("ALTER ROLE {} CONNECTION LIMIT -1").format(Identifier(role)))

    @contextmanager
    def _lock(self) -> Iterator[None]:
        with (self._stores.directory / "templates.lock").open("w") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            yield
