"""Passwords and keys of a local stack: random, stored in one private file."""

import json
import os
import secrets
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import Self

# Without similar-looking characters, since people type these.
_TYPEABLE = "abcdefghijkmnpqrstuvwxyz23456789"


def _secret() -> str:
    """192 random bits in hexadecimal, which URLs, shells, .env files and MongoDB's key file all accept."""
    return secrets.token_hex(24)


def _login_password() -> str:
    """80 random bits in groups of four, easy to read and type."""
    return "-".join("".join(secrets.choice(_TYPEABLE) for _ in range(4)) for _ in range(4))


def _secret_field() -> str:
    made: str = field(default_factory=_secret)
    return made


def _login_field() -> str:
    made: str = field(default_factory=_login_password)
    return made


@dataclass(frozen=True, repr=False)
class Secrets:
    """One attribute per secret setting; `Secrets()` generates new ones."""

    postgres_password: str = _secret_field()
    users_db_password: str = _secret_field()
    courses_db_password: str = _secret_field()
    chat_db_password: str = _secret_field()
    analytics_db_password: str = _secret_field()

    mongo_root_password: str = _secret_field()
    mongo_keyfile: str = _secret_field()
    courses_mongo_password: str = _secret_field()
    chat_mongo_password: str = _secret_field()
    analytics_mongo_password: str = _secret_field()

    redis_password: str = _secret_field()
    users_redis_password: str = _secret_field()
    courses_redis_password: str = _secret_field()
    chat_redis_password: str = _secret_field()
    analytics_redis_password: str = _secret_field()

    key_encryption_secret: str = _secret_field()
    settings_encryption_secret: str = _secret_field()
    users_client_secret: str = _secret_field()
    courses_client_secret: str = _secret_field()
    chat_client_secret: str = _secret_field()
    analytics_client_secret: str = _secret_field()

    demo_learner_password: str = _login_field()
    demo_instructor_password: str = _login_field()
    demo_admin_password: str = _login_field()

    @classmethod
    def load_or_create(cls, path: Path) -> Self:
        """Read the file, or create it; secrets missing in an older file are added."""
        known = json.loads(path.read_text()) if path.exists() else {}
        loaded = cls(**{item.name: known[item.name] for item in fields(cls) if item.name in known})
        if asdict(loaded) != known:
            write_private(path, json.dumps(asdict(loaded), indent=2) + "\n")
        return loaded

    def environment(self) -> dict[str, str]:
        """The secrets under the names that .env, the deployment files and the services use."""
        return {name.upper(): value for name, value in asdict(self).items()}


def write_private(path: Path, text: str) -> None:
    """Write a file atomically, readable for its owner only."""
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(f"{path.name}.{os.getpid()}.partial")
    descriptor = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    partial.replace(path)
