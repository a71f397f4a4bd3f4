"""PostgreSQL with pgvector."""

import grp
import os
import shutil
import signal
import tempfile
from pathlib import Path

import psutil
import psycopg2

from cogniflow_dev.paths import repository_root
from cogniflow_dev.ports import LOOPBACK
from cogniflow_dev.stores.binaries import MissingBinary, postgres_binary
from cogniflow_dev.stores.server import StoreServer, run

SUPERUSER = "cogniflow"
DATABASE = "cogniflow"

_DAC_READ_SEARCH = 2
_SETPCAP = 8

# Durable (fsync and synchronous_commit stay on, as they are by default), small in memory.
_OPTIONS = {
    "listen_addresses": LOOPBACK,
    "unix_socket_directories": "",  # TCP only: a socket's path may be at most 107 bytes long
    "shared_buffers": "64MB",
    "max_connections": "100",
    "max_wal_size": "256MB",
    "timezone": "UTC",
    "log_timezone": "UTC",
}


class Postgres(StoreServer):
    """The relational store; the one database `cogniflow` holds a schema per service."""

    name = "postgres"
    # Fast shutdown; SIGTERM would wait until all clients have disconnected.
    stop_signal = signal.SIGINT

    def prepare(self) -> None:
        if self.folder.exists():
            self._forget_dead_postmaster()
            return
        # Created under another name, so that an interrupted initdb leaves no data folder behind.
        unfinished = self.folder.with_name(f"{self.folder.name}.unfinished")
        shutil.rmtree(unfinished, ignore_errors=True)
        unfinished.mkdir(parents=True, mode=0o700)
        if os.geteuid() == 0:
            shutil.chown(unfinished, "nobody")
        with tempfile.NamedTemporaryFile("w", suffix=".initdb") as password_file:
            password_file.write(self.secrets.postgres_password)
            password_file.flush()
            run(self.name, _initdb(unfinished, password_file.name), {"LC_ALL": "C.UTF-8"})
        unfinished.rename(self.folder)

    def command(self) -> list[str]:
        options = [part for name, value in _OPTIONS.items() for part in ("-c", f"{name}={value}")]
        server = str(postgres_binary("postgres"))
        return [*_unprivileged(), server, "-D", str(self.folder), "-p", str(self.port), *options]

    def setup_settings(self) -> dict[str, str]:
        roles = ("USERS", "COURSES", "CHAT", "ANALYTICS")
        return self.secret_settings("POSTGRES_PASSWORD", *(f"{role}_DB_PASSWORD" for role in roles))

    def problem(self) -> str | None:
        try:
            psycopg2.connect(self.admin_url("postgres"), connect_timeout=5).close()
        except psycopg2.OperationalError as error:
            return str(error).strip()
        return None

    def provision(self) -> None:
        environment = {**self.setup_settings(), "PGPASSWORD": self.secrets.postgres_password}
        target = ["--host", LOOPBACK, "--port", str(self.port), "--username", SUPERUSER]
        if not self._has_database():
            run(self.name, [str(postgres_binary("createdb")), *target, DATABASE], environment)
        roles = repository_root() / "deploy" / "postgres-roles.sql"
        psql = [str(postgres_binary("psql")), *target, "--no-psqlrc", "--quiet", "--set", "ON_ERROR_STOP=1"]
        run(self.name, [*psql, "--dbname", DATABASE, "--file", str(roles)], environment)

    def url(self, role: str) -> str:
        """The DATABASE_URL of one service's role."""
        password = self.secrets.environment()[f"{role.upper()}_DB_PASSWORD"]
        return f"postgresql+psycopg2://{role}:{password}@{LOOPBACK}:{self.port}/{DATABASE}"

    def admin_url(self, database: str = DATABASE) -> str:
        """A libpq URL for the superuser."""
        return f"postgresql://{SUPERUSER}:{self.secrets.postgres_password}@{LOOPBACK}:{self.port}/{database}"

    def _forget_dead_postmaster(self) -> None:
        """Remove the lock file of a killed server if another process has its process id now.

        PostgreSQL would take that process for a running server and refuse to start.
        """
        lock = self.folder / "postmaster.pid"
        if not lock.exists():
            return
        try:
            working_folder = psutil.Process(int(lock.read_text().split("\n", 1)[0])).cwd()
        except (psutil.NoSuchProcess, psutil.AccessDenied, ValueError):
            working_folder = ""
        if working_folder != str(self.folder):
            lock.unlink()

    def _has_database(self) -> bool:
        connection = psycopg2.connect(self.admin_url("postgres"), connect_timeout=5)
        try:
            with connection.cursor() as cursor:
                cursor.execute("SELECT 1 FROM pg_database WHERE datname = %s", (DATABASE,))
                return cursor.fetchone() is not None
        finally:
            connection.close()


def _initdb(folder: Path, password_file: str) -> list[str]:
    # PostgreSQL's built-in collation, so that sorting doesn't depend on the C library.
    return [
        *_unprivileged(),
        str(postgres_binary("initdb")),
        *("--pgdata", str(folder), "--username", SUPERUSER, "--pwfile", password_file),
        *("--auth", "scram-sha-256", "--encoding", "UTF8"),
        *("--locale-provider", "builtin", "--builtin-locale", "C.UTF-8"),
    ]


def _unprivileged() -> list[str]:
    """The command prefix that lets root start PostgreSQL, which refuses to run as root.

    PostgreSQL runs as `nobody`, which owns the data folder. One capability
    remains, to reach that folder and its programs through folders that are
    closed to others, such as /root. PostgreSQL checks access with access(2),
    which respects the capability only under `no_setuid_fixup`.
    """
    if os.geteuid() != 0:
        return []
    setpriv = shutil.which("setpriv")
    if not setpriv:
        raise MissingBinary(
            "as root, PostgreSQL needs `setpriv` (package util-linux); install it or use another user"
        )
    group = "nogroup" if _group_exists("nogroup") else "nobody"
    identity = ["--reuid", "nobody", "--regid", group, "--clear-groups"]
    if _permitted(_SETPCAP):
        identity += ["--securebits", "+no_setuid_fixup"]
    # Containers usually remove the narrower capability from root and leave the broader one.
    capability = "+dac_read_search" if _permitted(_DAC_READ_SEARCH) else "+dac_override"
    return [setpriv, *identity, "--inh-caps", capability, "--ambient-caps", capability]


def _group_exists(name: str) -> bool:
    return any(entry.gr_name == name for entry in grp.getgrall())


def _permitted(capability: int) -> bool:
    """Whether this process has a capability, by its number in capabilities(7)."""
    status = Path("/proc/self/status").read_text()
    permitted = next(line for line in status.splitlines() if line.startswith("CapPrm:"))
    return bool(int(permitted.split()[1], 16) >> capability & 1)
