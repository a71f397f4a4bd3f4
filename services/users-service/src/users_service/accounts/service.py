"""Rules of accounts."""

from uuid import UUID

from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from cogniflow_kit.events import Event
from cogniflow_kit.identity import Role
from cogniflow_kit.sql.database import Database
from cogniflow_kit.sql.outbox import record
from users_service.accounts.errors import EmailTaken, UsernameTaken, UserNotFound
from users_service.accounts.mailbox import Mailboxes
from users_service.accounts.policy import check_password
from users_service.accounts.repository import UserRepository, account_json
from users_service.accounts.schemas import Registration
from users_service.audit.trail import EventType, Trail
from users_service.passwords import hash_password
from users_service.tables import User


class Accounts:
    def __init__(self, db: Session, trail: Trail, mailboxes: Mailboxes) -> None:
        self._db = db
        self._trail = trail
        self._mailboxes = mailboxes
        self._users = UserRepository(db)

    def register(self, registration: Registration) -> User:
        """A new student, who gets a mail to confirm the address.

        Raises PasswordTooCommon, UsernameTaken or EmailTaken, also when two register at once.
        """
        names = (registration.username, registration.full_name, registration.email)
        check_password(registration.password, *names)
        user = User(
            username=registration.username,
            email=registration.email,
            full_name=registration.full_name,
            hashed_password=hash_password(registration.password),
        )
        add_user(self._db, user)
        self._trail.record(EventType.REGISTERED, user_id=user.id)
        self._mailboxes.send_verification(user)
        return user

    def get(self, user_id: UUID) -> User:
        user = self._users.by_id(user_id)
        if user is None:
            raise UserNotFound("There is no such user.")
        return user

    def page(self, after: UUID | None, limit: int, search: str | None, role: Role | None) -> list[User]:
        return self._users.page(after, limit, search, role)


async def own_account(database: Database, user_id: UUID) -> bytes:
    """The account as the JSON of `UserOut`. Raises: UserNotFound."""
    found = await account_json(database, user_id)
    if found is None:
        raise UserNotFound("There is no such user.")
    return found


def add_user(db: Session, user: User) -> None:
    """Raises UsernameTaken or EmailTaken."""
    try:
        with db.begin_nested():
            UserRepository(db).add(user)
    except IntegrityError as error:
        raise _taken(error) from error
    record(db, Event(type="user.registered", actor_id=user.id))


def _taken(error: IntegrityError) -> UsernameTaken | EmailTaken:
    if "uq_users_email_lower" in str(error.orig):
        return EmailTaken("An account with this e-mail address exists; log in or reset its password.")
    return UsernameTaken("This username is taken; choose another.")
