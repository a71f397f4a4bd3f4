"""The key ring: signs access tokens and publishes what others verify them with."""

import base64
import hashlib
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
from sqlalchemy import func, or_, select, text, update
from sqlalchemy.orm import Session

from cogniflow_kit.ids import new_id, utc_now
from cogniflow_kit.sql.database import Database
from users_service.keys.jwt import PrivateKey, PublicKey, public_jwk, signing_key
from users_service.tables import SigningKey

_ONE_AT_A_TIME = text("SELECT pg_advisory_xact_lock(hashtext('users-signing-keys'))")

LEAD = timedelta(seconds=10)
"""A new key is published this long before it signs: every verifier has fetched it by then."""
TAIL = timedelta(minutes=6)
"""A replaced key stays published for the longest token lifetime and a minute for clocks."""


@dataclass(frozen=True)
class Signer:
    """A key, decrypted."""

    kid: str
    private_key: PrivateKey
    active_from: datetime


class KeyRing:
    """Keys as rows, decrypted once a process and read again by `reload`."""

    def __init__(self, database: Database, encryption_secret: SecretStr) -> None:
        self._database = database
        digest = hashlib.sha256(encryption_secret.get_secret_value().encode()).digest()
        self._fernet = Fernet(base64.urlsafe_b64encode(digest))
        self._signers: list[Signer] = []
        self._public: dict[str, str] = {}

    def ensure_key(self) -> None:
        """Make the first key, unless there is one; safe from several starts at once."""
        with self._database.transaction() as db:
            db.execute(_ONE_AT_A_TIME)
            if db.scalar(select(SigningKey).limit(1)) is None:
                db.add(self._new_key(utc_now()))

    def rotate(self, db: Session) -> str:
        """Publish a new key that signs after `LEAD`, let the others retire `TAIL` later; gives its id."""
        db.execute(_ONE_AT_A_TIME)
        active_from = utc_now() + LEAD
        db.execute(
            update(SigningKey).where(SigningKey.retired_at.is_(None)).values(retired_at=active_from + TAIL)
        )
        key = self._new_key(active_from)
        db.add(key)
        return key.kid

    def signer(self) -> Signer:
        """The newest key whose time has come; by a clock that lags, perhaps of none: then the oldest."""
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
        live = or_(SigningKey.retired_at.is_(None), SigningKey.retired_at > func.now())
        newest_first = select(SigningKey).where(live).order_by(SigningKey.active_from.desc())
        with self._database.transaction() as db:
            keys = list(db.scalars(newest_first))
        known = {signer.kid: signer for signer in self._signers}
        self._signers = [known.get(key.kid) or self._decrypted(key) for key in keys]
        self._public = {key.kid: key.public_key for key in keys}

    def _decrypted(self, key: SigningKey) -> Signer:
        private = self._fernet.decrypt(key.encrypted_private_key.encode()).decode()
        return Signer(key.kid, signing_key(private), key.active_from)

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
