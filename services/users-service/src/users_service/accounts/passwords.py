"""Rules of passwords: confirm, change and reset them."""

import json
from collections.abc import Mapping
from datetime import timedelta
from typing import Any
from uuid import UUID

from sqlalchemy.orm import Session

from cogniflow_kit.ids import utc_now
from cogniflow_kit.jobs import Jobs
from users_service.accounts.errors import InvalidToken, UserNotFound, WrongPassword
from users_service.accounts.mailed_links import RESET_LIFETIME, MailRateLimit, OneTimeTokens, Purpose
from users_service.accounts.password_policy import check_password
from users_service.accounts.repository import UserRepository
from users_service.audit.event_types import EventType
from users_service.audit.service import AuditLog, Origin
from users_service.login.rate_limits import LoginRateLimit
from users_service.login.repository import LoginRepository
from users_service.mail.service import MailWriter
from users_service.mail.templates import PASSWORD_CHANGED_NOTICE, RESET_PASSWORD, MailTemplate
from users_service.password_hashing import hash_password, verify_password
from users_service.tables import User

FORGOTTEN_JOB = "password_forgotten"


class PasswordConfirmation:
    """Asks logged-in users for their password again before they change their account.

    An access token alone, which may be stolen, must not be enough to take an account over.
    """

    def __init__(self, db: Session, audit: AuditLog, address: str) -> None:
        self._db = db
        self._users = UserRepository(db)
        self._audit = audit
        self._address = address

    def confirm(self, user_id: UUID, password: str) -> User:
        """Return the user, whose row stays locked, if the password is right.

        Raises: UserNotFound, WrongPassword and TooManyAttempts (counted like failed logins).
        """
        user = self._users.by_id(user_id)
        if user is None:
            raise UserNotFound
        limit = LoginRateLimit(self._db, user.username, self._address)
        limit.check()
        compared_hash = user.hashed_password
        matches, _ = verify_password(password, compared_hash)
        limit.lock_and_check()
        self._users.lock(user)
        if not matches or user.hashed_password != compared_hash or not user.may_log_in:
            limit.count()
            self._audit.record(EventType.PASSWORD_REFUSED, user_id=user.id)
            raise WrongPassword
        return user


class Passwords:
    def __init__(self, db: Session, audit: AuditLog, mails: MailWriter, origin: Origin) -> None:
        self._db = db
        self._audit = audit
        self._mails = mails
        self._origin = origin
        self._tokens = OneTimeTokens(db)
        self._logins = LoginRepository(db)

    def forgot(self, email: str, jobs: Jobs) -> None:
        """Have a reset link mailed if an account has this address.

        The worker writes the mail, so that the response time doesn't tell
        whether the account exists.

        Raises: TooManyMails.
        """
        MailRateLimit(self._db, email, self._origin.address).use()
        user = UserRepository(self._db).by_email(email)
        user_id = str(user.id) if user is not None else None
        self._audit.record(EventType.PASSWORD_RESET_REQUESTED, user_id=user.id if user else None)
        jobs.enqueue(self._db, FORGOTTEN_JOB, json.dumps({"user_id": user_id}))

    def reset(self, token: str, password: str) -> None:
        """Set a new password with a mailed token, and end all login sessions.

        Raises: InvalidToken; PasswordTooCommon (then the token can be used again).
        """
        user, redeemed = self._tokens.redeem(token, Purpose.RESET_PASSWORD)
        if redeemed.email != user.email:
            raise InvalidToken
        self._set(user, password)
        # The token was mailed to this address, so its use verifies the address, too.
        user.email_verified_at = user.email_verified_at or utc_now()
        self._logins.end(user.id, EventType.PASSWORD_RESET.value)
        self._audit.record(EventType.PASSWORD_RESET, user_id=user.id)

    def change(self, user_id: UUID, session_id: UUID, current: str, new: str) -> None:
        """Set a new password, and end all login sessions except `session_id`.

        Raises: WrongPassword, TooManyAttempts, PasswordTooCommon.
        """
        confirmation = PasswordConfirmation(self._db, self._audit, self._origin.address)
        user = confirmation.confirm(user_id, current)
        self._set(user, new)
        self._logins.end(user.id, EventType.PASSWORD_CHANGED.value, but=session_id)
        self._audit.record(EventType.PASSWORD_CHANGED, user_id=user.id, session_id=session_id)

    def _set(self, user: User, password: str) -> None:
        """Set the password, and cancel what an attacker who knew the old one may have requested."""
        check_password(password, user.username, user.full_name, user.email)
        user.hashed_password = hash_password(password)
        self._tokens.cancel(user.id, Purpose.RESET_PASSWORD, Purpose.CHANGE_EMAIL)
        self._mails.write(PASSWORD_CHANGED_NOTICE, user, to=user.email)


def send_reset_link(
    db: Session,
    mails: MailWriter,
    user: User,
    template: MailTemplate = RESET_PASSWORD,
    lifetime: timedelta = RESET_LIFETIME,
) -> None:
    """Mail a link that sets a password. Caller must hold the lock on the user's row."""
    issued = OneTimeTokens(db).issue(user, Purpose.RESET_PASSWORD, user.email, lifetime)
    mails.write(
        template,
        user,
        to=user.email,
        expires_at=issued.expires_at,
        link=mails.link("reset-password", issued.token),
        hours=str(issued.hours),
    )


def answer_forgotten(db: Session, mails: MailWriter, arguments: Mapping[str, Any]) -> None:
    """Job: mail the reset link that `Passwords.forgot` queued.

    Sends nothing for an unknown address or to users who may not log in.
    """
    if arguments["user_id"] is None:
        return
    user = UserRepository(db).locked(UUID(arguments["user_id"]))
    if user is not None and user.may_log_in:
        send_reset_link(db, mails, user)
