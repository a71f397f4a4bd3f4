"""Rate limits on guessing passwords, counted in PostgreSQL so that they hold during a Redis outage."""

from datetime import timedelta

from sqlalchemy.orm import Session

from cogniflow_kit.ids import utc_now
from users_service.login.errors import TooManyAttempts
from users_service.login.repository import AttemptRepository

WINDOW = timedelta(minutes=15)
PER_ACCOUNT = 10
PER_ADDRESS = 100


class RateLimit:
    """Limits how often something may be attempted within WINDOW.

    `limits`: the maximum number of attempts by key, such as an account or an IP address.
    """

    error = TooManyAttempts

    def __init__(self, db: Session, limits: dict[str, int]) -> None:
        self._attempts = AttemptRepository(db)
        self._limits = limits

    def check(self) -> None:
        """Raises: TooManyAttempts (when one of the limits is reached)."""
        since = utc_now() - WINDOW
        for key, limit in self._limits.items():
            if self._attempts.count(key, since) >= limit:
                raise self.error(WINDOW)

    def lock_and_check(self) -> None:
        """Wait until concurrent attempts with the same keys are counted, then check again."""
        for key in sorted(self._limits):
            self._attempts.lock(key)
        self.check()

    def count(self) -> None:
        self._attempts.add(self._limits)


class LoginRateLimit(RateLimit):
    """Allows PER_ACCOUNT wrong passwords per account and PER_ADDRESS per IP address.

    Unknown accounts are counted like existing ones, so that the limit doesn't
    tell which names exist. Call `lock_and_check` after the slow password
    comparison: then concurrent guesses are limited like sequential ones.
    """

    def __init__(self, db: Session, login: str, address: str) -> None:
        self._account_key = f"account:{login.lower()}"
        super().__init__(db, {self._account_key: PER_ACCOUNT, f"address:{address}": PER_ADDRESS})

    def reset_account(self) -> None:
        """Forget the account's failures. The address keeps its own: it may have tried other accounts."""
        self._attempts.delete(self._account_key)
