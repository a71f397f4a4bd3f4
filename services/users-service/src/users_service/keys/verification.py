"""The state that tokens are verified against, as every service polls it."""

from collections.abc import Callable
from datetime import timedelta

from sqlalchemy import delete, func, or_, select
from sqlalchemy.orm import Session

from cogniflow_kit.sql.database import Database
from cogniflow_kit.verification import Revocation as RevocationOut
from cogniflow_kit.verification import Verification, VerificationKey
from users_service.keys.jwt import public_jwk
from users_service.keys.service import KeyRing
from users_service.tables import Revocation, SigningKey

REMEMBERED = timedelta(minutes=6)
"""The longest token lifetime and a minute for clocks: whatever was revoked earlier has expired."""


def verification(db: Session) -> Verification:
    live = or_(SigningKey.retired_at.is_(None), SigningKey.retired_at > func.now())
    keys = db.execute(select(SigningKey.kid, SigningKey.public_key).where(live))
    revoked = db.scalars(select(Revocation).where(Revocation.revoked_at > func.now() - REMEMBERED))
    return Verification(
        keys=[VerificationKey(**public_jwk(kid, pem).model_dump()) for kid, pem in keys],
        revocations=[RevocationOut.model_validate(row, from_attributes=True) for row in revoked],
    )


def own_state(database: Database, keys: KeyRing) -> Callable[[], Verification]:
    """For users-service itself; asking also keeps the key ring fresh, so that every replica rotates."""

    def fetch() -> Verification:
        keys.reload()
        with database.transaction() as db:
            return verification(db)

    return fetch


def forget_revocations(db: Session) -> None:
    db.execute(delete(Revocation).where(Revocation.revoked_at < func.now() - REMEMBERED))
