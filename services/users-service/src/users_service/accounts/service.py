"""Rules of accounts."""

from uuid import UUID

from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from cogniflow_kit.events import Event
from cogniflow_kit.sql.outbox import record
from users_service.accounts.errors import EmailTaken, UsernameTaken, UserNotFound
from users_service.accounts.repository import UserRepository
from users_service.accounts.schemas import Registration
from users_service.audit.trail import EventType, Trail
from users_service.passwords import hash_password
from users_service.tables import User


class Accounts:
    def __init__(self, session: Session, trail: Trail) -> None:
        self._session = session
        self._trail = trail
        self._users = UserRepository(session)

    def register(self, registration: Registration) -> User:
        """A new student. Raises UsernameTaken or EmailTaken, also when two register at once."""
        user = User(
            username=registration.username,
            email=registration.email,
            full_name=registration.full_name,
            hashed_password=hash_password(registration.password),
        )
        try:
            with self._session.begin_nested():
                self._users.add(user)
        except IntegrityError as error:
            raise _taken(error) from error
        self._trail.record(EventType.REGISTERED, user_id=user.id)
        record(self._session, Event(type="user.registered", actor_id=user.id))
        return user

    def get(self, user_id: UUID) -> User:
        user = self._users.by_id(user_id)
        if user is None:
            raise UserNotFound("There is no such user.")
        return user

    def page(self, after: UUID | None, limit: int) -> list[User]:
        return self._users.page(after, limit)


def _taken(error: IntegrityError) -> UsernameTaken | EmailTaken:
    if "uq_users_email_lower" in str(error.orig):
        return EmailTaken("An account with this e-mail address exists; log in or reset its password.")
    return UsernameTaken("This username is taken; choose another.")
