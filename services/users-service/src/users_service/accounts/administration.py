"""Rules of administration: opening accounts for others, roles, locks."""

import secrets
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.orm import Session

from cogniflow_kit.identity import Role
from cogniflow_kit.ids import utc_now
from users_service.accounts.confirmation import Confirmation
from users_service.accounts.errors import LastAdmin, UserNotFound
from users_service.accounts.mailbox import Mailboxes
from users_service.accounts.password import send_reset_link
from users_service.accounts.policy import check_password
from users_service.accounts.repository import UserRepository
from users_service.accounts.schemas import NewUser
from users_service.accounts.service import add_user
from users_service.accounts.tokens import INVITATION_LIFETIME, OneTimeTokens, Purpose
from users_service.audit.trail import EventType, Trail
from users_service.login.repository import LoginRepository
from users_service.mail.mails import Mails
from users_service.mail.texts import INVITATION
from users_service.passwords import hash_password
from users_service.tables import User

_ONE_AT_A_TIME = text("SELECT pg_advisory_xact_lock(hashtext('users-administration'))")


class Administration:
    """What admins do to accounts; every change is recorded with who made it.

    Changes that may leave no admin come one by one, so that two admins who
    lock each other at once don't lock everybody out.
    """

    def __init__(self, db: Session, trail: Trail, mails: Mails, mailboxes: Mailboxes) -> None:
        self._db = db
        self._trail = trail
        self._mails = mails
        self._mailboxes = mailboxes
        self._users = UserRepository(db)
        self._logins = LoginRepository(db)

    def create(self, admin_id: UUID, new: NewUser) -> User:
        """Without a password the person gets a link by mail to choose one.

        Raises UsernameTaken, EmailTaken or PasswordTooCommon.
        """
        if new.password is not None:
            check_password(new.password, new.username, new.full_name, new.email)
        user = User(
            username=new.username,
            email=new.email,
            full_name=new.full_name,
            role=new.role,
            # Without a password: one that nobody ever knew.
            hashed_password=hash_password(new.password or secrets.token_urlsafe(32)),
        )
        add_user(self._db, user)
        self._trail.record(EventType.USER_CREATED, user_id=user.id, actor_id=admin_id, role=new.role)
        if new.password is None:
            send_reset_link(self._db, self._mails, user, INVITATION, INVITATION_LIFETIME)
        else:
            self._mailboxes.send_verification(user)
        return user

    def change_role(self, admin_id: UUID, user_id: UUID, role: Role) -> User:
        """Tokens that say the old role count no more. Raises UserNotFound or LastAdmin."""
        user = self._take(user_id, stays_admin=role == "admin")
        before = user.role
        if before != role:
            user.role = role
            self._logins.revoke_tokens_of(user.id)
            self._trail.record(
                EventType.ROLE_CHANGED, user_id=user.id, actor_id=admin_id, before=before, after=role
            )
        return user

    def lock(self, admin_id: UUID, user_id: UUID) -> User:
        """Every login ends and none begins. Raises UserNotFound or LastAdmin."""
        user = self._take(user_id, stays_admin=False)
        if user.locked_at is None:
            user.locked_at = utc_now()
            self._shut_out(user, EventType.LOCKED)
            self._trail.record(EventType.LOCKED, user_id=user.id, actor_id=admin_id)
        return user

    def unlock(self, admin_id: UUID, user_id: UUID) -> User:
        """Let somebody in again, locked or deactivated. Raises UserNotFound."""
        user = self._take(user_id, stays_admin=True)
        if not user.may_log_in:
            user.locked_at, user.is_active = None, True
            self._trail.record(EventType.UNLOCKED, user_id=user.id, actor_id=admin_id)
        return user

    def deactivate(self, user_id: UUID, password: str, confirmation: Confirmation) -> None:
        """By the person themselves. Raises WrongPassword, TooManyAttempts or LastAdmin."""
        self._db.execute(_ONE_AT_A_TIME)
        confirmation.confirm(user_id, password)
        user = self._take(user_id, stays_admin=False)
        user.is_active = False
        self._shut_out(user, EventType.DEACTIVATED)
        self._trail.record(EventType.DEACTIVATED, user_id=user.id)

    def _take(self, user_id: UUID, *, stays_admin: bool) -> User:
        """The account, locked. Raises LastAdmin when it is the only admin and won't be one any more."""
        self._db.execute(_ONE_AT_A_TIME)
        user = self._users.locked(user_id)
        if user is None:
            raise UserNotFound("There is no such user.")
        is_admin = user.role == "admin" and user.may_log_in
        if is_admin and not stays_admin and not self._users.has_admin_beside(user_id):
            raise LastAdmin("This is the only admin; make somebody else one first.")
        return user

    def _shut_out(self, user: User, event: EventType) -> None:
        OneTimeTokens(self._db).cancel(user.id, *Purpose)
        self._logins.end(user.id, event.value)
        self._logins.revoke_tokens_of(user.id)
