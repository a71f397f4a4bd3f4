"""The key ring, and the state that every service verifies tokens against."""

import base64
import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from cryptography.fernet import Fernet
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
)
from pydantic import SecretStr
from sqlalchemy.orm import Session

from cogniflow_kit.ids import new_id, utc_now
from cogniflow_kit.sql.database import Database
from cogniflow_kit.verification import Revocation as RevocationOut
from cogniflow_kit.verification import Verification, VerificationKey
from users_service.keys.jwt import PrivateKey, parse_private_key, public_jwk
from users_service.keys.repository import KeyRepository
from users_service.keys.schemas import PublicKey
from users_service.tables import SigningKey

PUBLICATION_LEAD = timedelta(seconds=10)
"""A new key is published this long before it signs, so that every service has fetched it by then."""
PUBLICATION_TAIL = timedelta(minutes=6)
"""A replaced key stays published this long: the longest token lifetime plus a minute of clock skew."""
REVOCATION_LIFETIME = timedelta(minutes=6)
"""A revocation is needed this long: the longest token lifetime plus a minute of clock skew."""


@dataclass(frozen=True)
class Signer:
    """A decrypted private key; signs tokens from `active_from` on."""

    kid: str
    private_key: PrivateKey
    active_from: datetime


class KeyRing:
    """The signing keys, cached in the process and updated by `reload`. Usable from several threads.

    `encryption_secret` encrypts the private keys in the database.
    """

    def __init__(self, database: Database, encryption_secret: SecretStr) -> None:
        self._database = database
        digest = hashlib.sha256(encryption_secret.get_secret_value().encode()).digest()
        self._fernet = Fernet(base64.urlsafe_b64encode(digest))
        self._signers: list[Signer] = []
        self._public: dict[str, str] = {}

    def ensure_key(self) -> None:
        """Create the first key if there is none. Safe when several processes start at once."""
        with self._database.transaction() as db:
            keys = KeyRepository(db)
            keys.lock()
            if not keys.has_key():
                keys.add(self._new_key(utc_now()))

    def rotate(self, db: Session) -> str:
        """Add a key that signs after PUBLICATION_LEAD, schedule the others' retirement, return its id."""
        keys = KeyRepository(db)
        keys.lock()
        active_from = utc_now() + PUBLICATION_LEAD
        keys.retire_all(active_from + PUBLICATION_TAIL)
        key = self._new_key(active_from)
        keys.add(key)
        return key.kid

    def signer(self) -> Signer:
        """Return the newest active key; the oldest one if this machine's clock is too slow for any."""
        if not self._signers:
            self.reload()
        now = utc_now()
        return next((signer for signer in self._signers if signer.active_from <= now), self._signers[-1])

    def published(self) -> list[PublicKey]:
        if not self._public:
            self.reload()
        return [public_jwk(kid, pem) for kid, pem in self._public.items()]

    def reload(self) -> None:
        """Read the keys that haven't retired, newest first."""
        with self._database.transaction() as db:
            keys = KeyRepository(db).published()
        known = {signer.kid: signer for signer in self._signers}
        self._signers = [known.get(key.kid) or self._decrypt(key) for key in keys]
        self._public = {key.kid: key.public_key for key in keys}

    def _decrypt(self, key: SigningKey) -> Signer:
        private = self._fernet.decrypt(key.encrypted_private_key.encode()).decode()
        return Signer(key.kid, parse_private_key(private), key.active_from)

    def _new_key(self, active_from: datetime) -> SigningKey:
        key = ec.generate_private_key(ec.SECP256R1())
        private = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        public = key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
        return SigningKey(
            kid=str(new_id()),
            encrypted_private_key=self._fernet.encrypt(private).decode(),
            public_key=public.decode(),
            active_from=active_from,
        )


def read_verification(db: Session) -> Verification:
    """Return the published keys and the revocations that still matter, as other services poll them."""
    keys = KeyRepository(db)
    return Verification(
        keys=[
            VerificationKey(**public_jwk(key.kid, key.public_key).model_dump()) for key in keys.published()
        ],
        revocations=[
            RevocationOut.model_validate(row, from_attributes=True)
            for row in keys.revocations(REVOCATION_LIFETIME)
        ],
    )


def local_verification(database: Database, keys: KeyRing) -> Callable[[], Verification]:
    """Return a function that reads the verification state for users-service itself.

    It also reloads the key ring, so that every replica follows a rotation.
    """

    def fetch() -> Verification:
        keys.reload()
        with database.transaction() as db:
            return read_verification(db)

    return fetch


def delete_expired_revocations(db: Session) -> None:
    KeyRepository(db).delete_revocations(REVOCATION_LIFETIME)
