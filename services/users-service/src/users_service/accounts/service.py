"""Rules of accounts: registration, and what admins do to them."""

import secrets
from uuid import UUID

from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from cogniflow_kit.events import Event
from cogniflow_kit.identity import Role
from cogniflow_kit.ids import utc_now
from cogniflow_kit.sql.database import Database
from cogniflow_kit.sql.outbox import record
from users_service.accounts.email_addresses import EmailAddresses
from users_service.accounts.errors import EmailTaken, LastAdmin, UsernameTaken, UserNotFound
from users_service.accounts.mailed_links import INVITATION_LIFETIME, OneTimeTokens, Purpose
from users_service.accounts.password_policy import check_password
from users_service.accounts.passwords import PasswordConfirmation, send_reset_link
from users_service.accounts.repository import UserRepository, account_json
from users_service.accounts.schemas import NewUser, Registration
from users_service.audit.event_types import EventType
from users_service.audit.service import AuditLog
from users_service.login.repository import LoginRepository
from users_service.mail.service import MailWriter
from users_service.mail.templates import INVITATION
from users_service.password_hashing import hash_password
from users_service.tables import User


class Accounts:
    def __init__(self, db: Session, audit: AuditLog, email_addresses: EmailAddresses) -> None:
        self._db = db
        self._audit = audit
        self._email_addresses = email_addresses
        self._users = UserRepository(db)

    def register(self, registration: Registration) -> User:
        """Open a student's account, and mail a link that confirms the address.

        Raises: PasswordTooCommon, UsernameTaken, EmailTaken (also for concurrent registrations).
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
        self._audit.record(EventType.REGISTERED, user_id=user.id)
        self._email_addresses.send_verification(user)
        return user

    def get(self, user_id: UUID) -> User:
        user = self._users.by_id(user_id)
        if user is None:
            raise UserNotFound
        return user

    def page(self, after: UUID | None, limit: int, search: str | None, role: Role | None) -> list[User]:
        return self._users.page(after, limit, search, role)


async def own_account(database: Database, user_id: UUID) -> bytes:
    """Return the account as the JSON of `UserOut`. Raises: UserNotFound."""
    account = await account_json(database, user_id)
    if account is None:
        raise UserNotFound
    return account


def add_user(db: Session, user: User) -> None:
    """Insert the user and record the event `user.registered`. Raises: UsernameTaken, EmailTaken."""
    try:
        UserRepository(db).add(user)
    except IntegrityError as error:
        raise _conflict(error) from error
    record(db, Event(type="user.registered", actor_id=user.id))


def _conflict(error: IntegrityError) -> UsernameTaken | EmailTaken:
    return EmailTaken() if "uq_users_email_lower" in str(error.orig) else UsernameTaken()


class Administration:
    """Creates accounts, changes roles, locks and deactivates. Every change is recorded with its actor.

    Changes that may reduce the number of admins run one at a time, so that two
    admins who lock each other at the same moment don't leave none.
    """

    def __init__(
        self, db: Session, audit: AuditLog, mails: MailWriter, email_addresses: EmailAddresses
    ) -> None:
        self._db = db
        self._audit = audit
        self._mails = mails
        self._email_addresses = email_addresses
        self._users = UserRepository(db)
        self._logins = LoginRepository(db)

    def create(self, admin_id: UUID, new: NewUser) -> User:
        """Open an account; without a password the user gets a mail with a link to choose one.

        Raises: UsernameTaken, EmailTaken, PasswordTooCommon.
        """
        if new.password is not None:
            check_password(new.password, new.username, new.full_name, new.email)
        user = User(
            username=new.username,
            email=new.email,
            full_name=new.full_name,
            role=new.role,
            # Without a password, a random one that is never shown: the user sets one by the mailed link.
            hashed_password=hash_password(new.password or secrets.token_urlsafe(32)),
        )
        add_user(self._db, user)
        self._audit.record(EventType.USER_CREATED, user_id=user.id, actor_id=admin_id, role=new.role)
        if new.password is None:
            send_reset_link(self._db, self._mails, user, INVITATION, INVITATION_LIFETIME)
        else:
            self._email_addresses.send_verification(user)
        return user

    def change_role(self, admin_id: UUID, user_id: UUID, role: Role) -> User:
        """Change the role and revoke access tokens with the old one. Raises: UserNotFound, LastAdmin."""
        user = self._lock_account(user_id, stays_admin=role == "admin")
        before = user.role
        if before != role:
            user.role = role
            self._logins.revoke_tokens_of(user.id)
            self._audit.record(
                EventType.ROLE_CHANGED, user_id=user.id, actor_id=admin_id, before=before, after=role
            )
        return user

    def lock(self, admin_id: UUID, user_id: UUID) -> User:
        """End the user's login sessions and refuse new ones. Raises: UserNotFound, LastAdmin."""
        user = self._lock_account(user_id, stays_admin=False)
        if user.locked_at is None:
            user.locked_at = utc_now()
            self._end_access(user, EventType.LOCKED)
            self._audit.record(EventType.LOCKED, user_id=user.id, actor_id=admin_id)
        return user

    def unlock(self, admin_id: UUID, user_id: UUID) -> User:
        """Let a locked or deactivated user log in again. Raises: UserNotFound."""
        user = self._lock_account(user_id, stays_admin=True)
        if not user.may_log_in:
            user.locked_at, user.is_active = None, True
            self._audit.record(EventType.UNLOCKED, user_id=user.id, actor_id=admin_id)
        return user

    def deactivate(self, user_id: UUID, password: str, confirmation: PasswordConfirmation) -> None:
        """Deactivate an account at its user's request. Raises: WrongPassword, TooManyAttempts, LastAdmin."""
        self._users.lock_admins()
        confirmation.confirm(user_id, password)
        user = self._lock_account(user_id, stays_admin=False)
        user.is_active = False
        self._end_access(user, EventType.DEACTIVATED)
        self._audit.record(EventType.DEACTIVATED, user_id=user.id)

    def _lock_account(self, user_id: UUID, *, stays_admin: bool) -> User:
        """Lock the user's row.

        `stays_admin`: false if the user won't be an active admin afterwards.

        Raises: UserNotFound; LastAdmin (when the change would leave no admin).
        """
        self._users.lock_admins()
        user = self._users.locked(user_id)
        if user is None:
            raise UserNotFound
        is_admin = user.role == "admin" and user.may_log_in
        if is_admin and not stays_admin and not self._users.other_admin_exists(user_id):
            raise LastAdmin
        return user

    def _end_access(self, user: User, event: EventType) -> None:
        """End login sessions, revoke tokens and cancel mailed links."""
        OneTimeTokens(self._db).cancel(user.id, *Purpose)
        self._logins.end(user.id, event.value)
        self._logins.revoke_tokens_of(user.id)
