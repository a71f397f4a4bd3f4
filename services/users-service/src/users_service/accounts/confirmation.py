"""Asking for the password again before something grave."""

from uuid import UUID

from sqlalchemy.orm import Session

from users_service.accounts.errors import UserNotFound, WrongPassword
from users_service.audit.trail import EventType, Trail
from users_service.login.limits import LoginLimits
from users_service.passwords import verify_password
from users_service.tables import User


class Confirmation:
    """An access token alone, perhaps stolen, must not be enough to take an account over."""

    def __init__(self, db: Session, trail: Trail, address: str) -> None:
        self._db = db
        self._trail = trail
        self._address = address

    def confirm(self, user_id: UUID, password: str) -> User:
        """The user, whose row stays locked. Raises WrongPassword or TooManyAttempts, counted as at login."""
        user = self._db.get(User, user_id)
        if user is None:
            raise UserNotFound("There is no such user.")
        limits = LoginLimits(self._db, user.username, self._address)
        limits.check()
        compared = user.hashed_password
        matches, _ = verify_password(password, compared)
        limits.settle()
        self._db.refresh(user, with_for_update=True)
        if not matches or user.hashed_password != compared or not user.may_log_in:
            limits.failed()
            self._trail.record(EventType.PASSWORD_REFUSED, user_id=user.id)
            raise WrongPassword("The password is wrong.")
        return user
