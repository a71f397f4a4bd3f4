"""Links in mails: their one-time tokens, and the rate limit on requesting them."""

import hashlib
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from uuid import UUID

from sqlalchemy.orm import Session

from cogniflow_kit.ids import utc_now
from users_service.accounts.errors import InvalidToken
from users_service.accounts.repository import OneTimeTokenRepository
from users_service.login.errors import TooManyMails
from users_service.login.rate_limits import RateLimit
from users_service.tables import OneTimeToken, User


class Purpose(StrEnum):
    VERIFY_EMAIL = "verify_email"
    CHANGE_EMAIL = "change_email"
    RESET_PASSWORD = "reset_password"


VERIFY_LIFETIME = timedelta(days=3)
RESET_LIFETIME = timedelta(hours=1)
INVITATION_LIFETIME = timedelta(days=3)
PER_MAILBOX = 3
PER_ADDRESS = 20


@dataclass(frozen=True)
class IssuedToken:
    """A new token in clear text; the database has only its hash. `hours`: its lifetime."""

    token: str
    expires_at: datetime
    hours: int


class OneTimeTokens:
    """Issues and redeems the tokens in mailed links, which prove that the user reads the mailbox.

    A token is 256 random bits; the database has its SHA-256.
    """

    def __init__(self, db: Session) -> None:
        self._tokens = OneTimeTokenRepository(db)

    def issue(self, user: User, purpose: Purpose, email: str, lifetime: timedelta) -> IssuedToken:
        """Issue a token and delete the user's earlier ones of the same purpose.

        Caller must hold the lock on the user's row.
        """
        self.cancel(user.id, purpose)
        token = secrets.token_urlsafe(32)
        expires_at = utc_now() + lifetime
        row = OneTimeToken(
            token_hash=_hash(token), user_id=user.id, purpose=purpose, email=email, expires_at=expires_at
        )
        self._tokens.add(row)
        return IssuedToken(token, expires_at, lifetime // timedelta(hours=1))

    def redeem(self, token: str, *purposes: Purpose) -> tuple[User, OneTimeToken]:
        """Use the token up; return its user, whose row stays locked, and the token.

        Raises: InvalidToken (unknown, used or expired; or the user may not log in).
        """
        user = self._tokens.lock_owner(_hash(token), *purposes)
        if user is None or not user.may_log_in:
            raise InvalidToken
        redeemed = self._tokens.redeem(_hash(token), *purposes)
        if redeemed is None:
            raise InvalidToken
        return user, redeemed

    def cancel(self, user_id: UUID, *purposes: Purpose) -> None:
        self._tokens.delete(user_id, *purposes)


class MailRateLimit(RateLimit):
    """Allows PER_MAILBOX mails per e-mail address, known or not, and PER_ADDRESS per IP address."""

    error = TooManyMails

    def __init__(self, db: Session, email: str, address: str) -> None:
        super().__init__(db, {f"mail:{email.lower()}": PER_MAILBOX, f"mails-from:{address}": PER_ADDRESS})

    def use(self) -> None:
        """Count one mail. Raises: TooManyMails."""
        self.lock_and_check()
        self.count()


def _hash(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()
