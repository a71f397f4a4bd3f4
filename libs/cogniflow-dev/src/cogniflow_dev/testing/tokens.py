"""Tokens like those of users-service, signed with a key of the test run."""

import time
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
)
from jose import jwt

from cogniflow_kit.identity import ALGORITHM, AUDIENCE
from cogniflow_kit.ids import new_id

ISSUER = "http://cogniflow.test"


def headers(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


@dataclass
class TestKeys:
    """A KeySource with one key."""

    __test__ = False

    kid: str
    public_pem: str
    ended_sessions: set[UUID] = field(default_factory=set)

    def start(self) -> None:
        """Nothing to start: the key is known."""

    def stop(self) -> None:
        """Nothing to stop."""

    def revoked(self, session_id: UUID, user_id: UUID, issued_at: float) -> bool:  # noqa: ARG002
        """Whether a test has added the session to `ended_sessions`."""
        return session_id in self.ended_sessions

    async def pem(self, kid: str) -> str | None:
        return self.public_pem if kid == self.kid else None


@dataclass
class TokenMint:
    """Signs access and service tokens. `keys`: the KeySource for the service under test."""

    private_pem: str = ""
    keys: TestKeys = field(init=False)

    def __post_init__(self) -> None:
        key = ec.generate_private_key(ec.SECP256R1())
        self.private_pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
        public = key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
        self.keys = TestKeys("test-key", public.decode())

    def user(self, role: str = "student", user_id: UUID | None = None, **changes: Any) -> str:
        """An access token; `changes` overrides claims, None removes one."""
        claims = {"aud": AUDIENCE, "sub": str(user_id or new_id()), "sid": str(new_id()), "role": role}
        return self.sign({**claims, "scope": "", "typ": "access", **changes})

    def service(self, name: str, audience: str, scope: str, **changes: Any) -> str:
        """A token of a service for another service."""
        return self.sign({"aud": audience, "sub": name, "scope": scope, "typ": "svc", **changes})

    def sign(self, claims: dict[str, Any]) -> str:
        now = int(time.time())
        standard = {"iss": ISSUER, "iat": now, "exp": now + 300, "jti": str(new_id())}
        present = {name: value for name, value in {**standard, **claims}.items() if value is not None}
        return str(jwt.encode(present, self.private_pem, ALGORITHM, {"kid": self.keys.kid}))

    @staticmethod
    def id_of(token: str) -> UUID:
        """The user's id in a token."""
        return UUID(jwt.get_unverified_claims(token)["sub"])
