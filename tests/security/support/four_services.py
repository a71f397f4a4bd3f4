"""The four services as they run together: real stores, real HTTP, users-service's own keys."""

import socket
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID, uuid4

import httpx
from fastapi import FastAPI
from service_routes import SERVICES, part

from cogniflow_dev.testing.environments import ServiceEnvironments
from cogniflow_dev.testing.servers import serving
from cogniflow_kit.identity import AUDIENCE
from cogniflow_kit.sql.database import Database
from users_service.keys.jwt import sign
from users_service.keys.service import KeyRing, Signer
from users_service.password_hashing import hash_password
from users_service.tables import User

PASSWORD = "correct horse battery"
# Once: every argon2 hash takes a while, and these accounts may share it.
_HASHED = hash_password(PASSWORD)


@dataclass(frozen=True)
class Person:
    """Somebody with an account and a token of a session of their own."""

    id: UUID
    username: str
    role: str
    token: str

    @property
    def headers(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.token}"}


@dataclass
class FourServices:
    """`urls` and `apps` by the short names of the services."""

    settings: dict[str, Any]
    apps: dict[str, FastAPI] = field(default_factory=dict)
    urls: dict[str, str] = field(default_factory=dict)

    @property
    def database(self) -> Database:
        """That of users-service."""
        database: Database = self.apps["users"].state.database
        return database

    @property
    def signer(self) -> Signer:
        keys: KeyRing = self.apps["users"].state.keys
        return keys.signer()

    def call(self, service: str, method: str, path: str, **kwargs: Any) -> httpx.Response:
        # Import and tutor take their time on a busy machine.
        return httpx.request(method, self.urls[service] + path, timeout=60, trust_env=False, **kwargs)

    def account(self, role: str = "student", **columns: Any) -> User:
        """A new account whose password is PASSWORD."""
        username = f"{role}-{uuid4().hex[:12]}"
        columns = {"email": f"{username}@example.org", "hashed_password": _HASHED, **columns}
        with self.database.transaction() as session:
            user = User(username=username, full_name="Some One", role=role, **columns)
            session.add(user)
        return user

    def person(self, role: str = "student") -> Person:
        """A new account with a token that nobody had to log in for."""
        user = self.account(role)
        return Person(user.id, user.username, role, self.user_token(user.id, role))

    def user_token(self, user_id: UUID, role: str) -> str:
        claims = {"sub": str(user_id), "sid": str(uuid4()), "role": role, "scope": "", "typ": "access"}
        return self._sign({"aud": AUDIENCE, **claims}, 300)

    def service_token(self, audience: str, scope: str, name: str = "chat-service") -> str:
        """`audience` is a short name here as everywhere in these tests."""
        return self._sign({"aud": f"{audience}-service", "sub": name, "scope": scope, "typ": "svc"}, 60)

    def log_in(self, username: str) -> httpx.Response:
        return self.call(
            "users", "POST", "/api/auth/token", data={"username": username, "password": PASSWORD}
        )

    def _sign(self, claims: dict[str, Any], lifetime_s: int) -> str:
        signer = self.signer
        return sign(
            claims,
            issuer=self.settings["users"].public_url,
            lifetime_s=lifetime_s,
            kid=signer.kid,
            private_key=signer.private_key,
        )


@contextmanager
def four_services(make_environment: ServiceEnvironments, **changes: Any) -> Iterator[FourServices]:
    """Serve all four on free ports; `changes` go into the settings of each."""
    ports = _free_ports()
    urls = {f"{name}_url": f"http://127.0.0.1:{port}" for name, port in ports.items()}
    running = FourServices({name: _settings(make_environment, name, urls | changes) for name in SERVICES})
    with ExitStack() as stack:
        for name, port in ports.items():
            running.apps[name] = part(name, "app").create_app(running.settings[name])
            running.urls[name] = stack.enter_context(serving(running.apps[name], port))
        yield running


def _settings(make_environment: ServiceEnvironments, name: str, changes: dict[str, Any]) -> Any:
    settings_class = part(name, "settings").Settings

    def bootstrap(values: Any) -> None:
        part(name, "bootstrap").bootstrap(settings_class(**values))

    values = make_environment(name, bootstrap) | {"log_level": "WARNING"} | changes
    return settings_class(**values)


def _free_ports() -> dict[str, int]:
    with ExitStack() as stack:
        listeners = {name: stack.enter_context(socket.socket()) for name in SERVICES}
        for listener in listeners.values():
            listener.bind(("127.0.0.1", 0))
        return {name: listener.getsockname()[1] for name, listener in listeners.items()}
