"""Limits on guessing passwords, kept in PostgreSQL so that they hold without Redis."""

from datetime import timedelta

from sqlalchemy import delete, func, select, text
from sqlalchemy.orm import Session

from cogniflow_kit.ids import new_id, utc_now
from users_service.login.errors import TooManyAttempts
from users_service.tables import LoginFailure

WINDOW = timedelta(minutes=15)
PER_ACCOUNT = 10
PER_ADDRESS = 100

_LOCK = text("SELECT pg_advisory_xact_lock(hashtextextended(:key, 1))")


class Limits:
    """How often something may be tried in a quarter of an hour, by key."""

    refusal = TooManyAttempts

    def __init__(self, db: Session, limits: dict[str, int]) -> None:
        self._db = db
        self._limits = limits

    def check(self) -> None:
        """Raises TooManyAttempts."""
        since = utc_now() - WINDOW
        for key, limit in self._limits.items():
            recent = (LoginFailure.key == key) & (LoginFailure.occurred_at > since)
            attempts = self._db.scalar(select(func.count()).select_from(LoginFailure).where(recent))
            if attempts is not None and attempts >= limit:
                raise self.refusal(WINDOW)

    def settle(self) -> None:
        """Wait for attempts at the same time to be counted, then check again."""
        for key in sorted(self._limits):
            self._db.execute(_LOCK, {"key": key})
        self.check()

    def count(self) -> None:
        now = utc_now()
        self._db.add_all(LoginFailure(id=new_id(), key=key, occurred_at=now) for key in self._limits)


class LoginLimits(Limits):
    """Ten wrong passwords an account, a hundred an address.

    An account that doesn't exist is counted like any other, so that the limit
    doesn't tell which names are taken. `settle` comes after the slow
    comparison of passwords: attempts made at the same time learn no more than
    attempts made one by one.
    """

    def __init__(self, db: Session, login: str, address: str) -> None:
        limits = {f"account:{login.lower()}": PER_ACCOUNT, f"address:{address}": PER_ADDRESS}
        super().__init__(db, limits)

    def failed(self) -> None:
        self.count()

    def succeeded(self) -> None:
        """Forget the account's failures; the address may have tried others too."""
        account = next(iter(self._limits))
        self._db.execute(delete(LoginFailure).where(LoginFailure.key == account))
