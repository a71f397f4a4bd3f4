"""Queries on signing keys and revocations."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlalchemy import delete, func, or_, select, text, update
from sqlalchemy.orm import Session

from users_service.tables import Revocation, SigningKey

_LOCK = text("SELECT pg_advisory_xact_lock(hashtext('users-signing-keys'))")


class KeyRepository:
    def __init__(self, db: Session) -> None:
        self._db = db

    def lock(self) -> None:
        """Wait until no other transaction creates or rotates keys."""
        self._db.execute(_LOCK)

    def has_key(self) -> bool:
        return self._db.scalar(select(SigningKey).limit(1)) is not None

    def add(self, key: SigningKey) -> None:
        self._db.add(key)

    def published(self) -> Sequence[SigningKey]:
        """Keys that haven't retired, the one that becomes active last first."""
        live = or_(SigningKey.retired_at.is_(None), SigningKey.retired_at > func.now())
        return self._db.scalars(select(SigningKey).where(live).order_by(SigningKey.active_from.desc())).all()

    def retire_all(self, at: datetime) -> None:
        """Set the retirement of every key that has none yet."""
        self._db.execute(update(SigningKey).where(SigningKey.retired_at.is_(None)).values(retired_at=at))

    def revocations(self, max_age: timedelta) -> Sequence[Revocation]:
        return self._db.scalars(select(Revocation).where(Revocation.revoked_at > func.now() - max_age)).all()

    def delete_revocations(self, min_age: timedelta) -> None:
        self._db.execute(delete(Revocation).where(Revocation.revoked_at < func.now() - min_age))
