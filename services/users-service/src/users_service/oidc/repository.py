"""Queries on external logins and identities."""

from sqlalchemy import delete, text
from sqlalchemy.orm import Session

from users_service.tables import ExternalIdentity, ExternalLogin

_LOCK_IDENTITY = text("SELECT pg_advisory_xact_lock(hashtextextended(:identity, 2))")


class ExternalLoginRepository:
    def __init__(self, db: Session) -> None:
        self._db = db

    def add_login(self, login: ExternalLogin) -> None:
        self._db.add(login)

    def take_login(self, state_hash: str) -> ExternalLogin | None:
        """Delete the pending login and return it."""
        deleting = delete(ExternalLogin).where(ExternalLogin.state_hash == state_hash)
        return self._db.scalars(deleting.returning(ExternalLogin)).first()

    def lock_identity(self, issuer: str, subject: str) -> ExternalIdentity | None:
        """Return the linked identity. Concurrent logins of one identity wait for each other."""
        self._db.execute(_LOCK_IDENTITY, {"identity": f"{issuer} {subject}"})
        return self._db.get(ExternalIdentity, (issuer, subject))

    def add_identity(self, identity: ExternalIdentity) -> None:
        self._db.add(identity)
