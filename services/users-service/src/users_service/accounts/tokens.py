"""Tokens that go out by mail and prove, once, that somebody reads a mailbox."""

import hashlib
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from uuid import UUID

from sqlalchemy import delete, func, select, update
from sqlalchemy.orm import Session

from cogniflow_kit.ids import utc_now
from users_service.accounts.errors import InvalidToken
from users_service.tables import OneTimeToken, User


class Purpose(StrEnum):
    VERIFY_EMAIL = "verify_email"
    CHANGE_EMAIL = "change_email"
    RESET_PASSWORD = "reset_password"


VERIFY_LIFETIME = timedelta(days=3)
RESET_LIFETIME = timedelta(hours=1)
INVITATION_LIFETIME = timedelta(days=3)


@dataclass(frozen=True)
class Issued:
    """The only time that the token itself is known here."""

    token: str
    expires_at: datetime
    hours: int


class OneTimeTokens:
    """256 random bits each; their SHA-256 is stored, which nobody can turn back."""

    def __init__(self, db: Session) -> None:
        self._db = db

    def issue(self, user: User, purpose: Purpose, email: str, lifetime: timedelta) -> Issued:
        """A new token; earlier ones of the same purpose die. The caller holds the user's row locked."""
        self.cancel(user.id, purpose)
        token = secrets.token_urlsafe(32)
        expires_at = utc_now() + lifetime
        row = OneTimeToken(
            token_hash=_hash(token), user_id=user.id, purpose=purpose, email=email, expires_at=expires_at
        )
        self._db.add(row)
        return Issued(token, expires_at, lifetime // timedelta(hours=1))

    def owner(self, token: str, *purposes: Purpose) -> User:
        """Whose token it is, with the row locked so that their tokens are used one by one.

        Raises InvalidToken, also for those who may not log in.
        """
        found = (
            select(User)
            .join(OneTimeToken, OneTimeToken.user_id == User.id)
            .where(OneTimeToken.token_hash == _hash(token), OneTimeToken.purpose.in_(purposes))
            .with_for_update(of=User)
            .execution_options(populate_existing=True)
        )
        user = self._db.scalars(found).first()
        if user is None or not user.may_log_in:
            raise InvalidToken
        return user

    def redeem(self, token: str, *purposes: Purpose) -> OneTimeToken:
        """Use it up. Raises InvalidToken; of two at once one gets it."""
        using = (
            update(OneTimeToken)
            .where(
                OneTimeToken.token_hash == _hash(token),
                OneTimeToken.purpose.in_(purposes),
                OneTimeToken.used_at.is_(None),
                OneTimeToken.expires_at > func.now(),
            )
            .values(used_at=func.now())
            .returning(OneTimeToken)
        )
        redeemed = self._db.scalars(using).first()
        if redeemed is None:
            raise InvalidToken
        return redeemed

    def cancel(self, user_id: UUID, *purposes: Purpose) -> None:
        ending = delete(OneTimeToken).where(
            OneTimeToken.user_id == user_id, OneTimeToken.purpose.in_(purposes)
        )
        self._db.execute(ending)


def _hash(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()
