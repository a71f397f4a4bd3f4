"""The key ring: signs access tokens and publishes what others verify them with."""

import base64
import hashlib
from dataclasses import dataclass
from threading import Lock

from cryptography.fernet import Fernet
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
)
from pydantic import SecretStr
from sqlalchemy import select, text
from sqlalchemy.orm import Session
from starlette.concurrency import run_in_threadpool

from cogniflow_kit.ids import new_id
from cogniflow_kit.sql.database import Database
from users_service.keys.jwt import PublicKey, public_jwk
from users_service.tables import SigningKey

_ONE_AT_A_TIME = text("SELECT pg_advisory_xact_lock(hashtext('users-signing-keys'))")


@dataclass(frozen=True)
class Signer:
    """The newest key, decrypted."""

    kid: str
    private_pem: str


class KeyRing:
    """Keys as rows, decrypted once a process. Also the KeySource of users-service itself."""

    def __init__(self, database: Database, encryption_secret: SecretStr) -> None:
        self._database = database
        digest = hashlib.sha256(encryption_secret.get_secret_value().encode()).digest()
        self._fernet = Fernet(base64.urlsafe_b64encode(digest))
        self._lock = Lock()
        self._signer: Signer | None = None
        self._public: dict[str, str] = {}

    def ensure_key(self) -> None:
        """Make the first key, unless there is one; safe from several starts at once."""
        with self._database.transaction() as session:
            session.execute(_ONE_AT_A_TIME)
            if session.scalar(select(SigningKey).limit(1)) is None:
                session.add(self._new_key())

    def signer(self) -> Signer:
        with self._lock:
            if self._signer is None:
                self._load()
            assert self._signer is not None
            return self._signer

    def published(self) -> list[PublicKey]:
        self.signer()
        return [public_jwk(kid, pem) for kid, pem in self._public.items()]

    async def pem(self, kid: str) -> str | None:
        if kid not in self._public:
            await run_in_threadpool(self.signer)
        return self._public.get(kid)

    def _load(self) -> None:
        with self._database.transaction() as session:
            keys = _newest_first(session)
        newest = keys[0]
        private = self._fernet.decrypt(newest.encrypted_private_key.encode()).decode()
        self._public = {key.kid: key.public_key for key in keys}
        self._signer = Signer(newest.kid, private)

    def _new_key(self) -> SigningKey:
        key = ec.generate_private_key(ec.SECP256R1())
        private = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        public = key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
        return SigningKey(
            kid=str(new_id()),
            encrypted_private_key=self._fernet.encrypt(private).decode(),
            public_key=public.decode(),
        )


def _newest_first(session: Session) -> list[SigningKey]:
    return list(session.scalars(select(SigningKey).order_by(SigningKey.created_at.desc())))
