"""Rules of passwords: forgotten, reset, changed."""

import json
from collections.abc import Mapping
from datetime import timedelta
from typing import Any
from uuid import UUID

from sqlalchemy.orm import Session

from cogniflow_kit.ids import utc_now
from cogniflow_kit.jobs import Jobs
from users_service.accounts.confirmation import Confirmation
from users_service.accounts.errors import InvalidToken
from users_service.accounts.limits import MailLimits
from users_service.accounts.policy import check_password
from users_service.accounts.repository import UserRepository
from users_service.accounts.tokens import RESET_LIFETIME, OneTimeTokens, Purpose
from users_service.audit.trail import EventType, Origin, Trail
from users_service.login.repository import LoginRepository
from users_service.mail.mails import Mails
from users_service.mail.texts import PASSWORD_CHANGED_NOTICE, RESET_PASSWORD, Text
from users_service.passwords import hash_password
from users_service.tables import User

FORGOTTEN = "password_forgotten"


class Passwords:
    def __init__(self, db: Session, trail: Trail, mails: Mails, origin: Origin) -> None:
        self._db = db
        self._trail = trail
        self._mails = mails
        self._origin = origin
        self._tokens = OneTimeTokens(db)
        self._logins = LoginRepository(db)

    def forgot(self, email: str, jobs: Jobs) -> None:
        """Have a link sent, if there is such an account. Raises TooManyMails.

        The worker writes the mail, so that this call takes the same steps for
        an address that nobody has: its time tells nothing.
        """
        MailLimits(self._db, email, self._origin.address).take()
        user = UserRepository(self._db).by_email(email)
        user_id = str(user.id) if user is not None else None
        self._trail.record(EventType.PASSWORD_RESET_REQUESTED, user_id=user.id if user else None)
        jobs.enqueue(self._db, FORGOTTEN, json.dumps({"user_id": user_id}))

    def reset(self, token: str, password: str) -> None:
        """Choose a new password without the old one; every login ends.

        Raises InvalidToken, or PasswordTooCommon and then the link still works.
        """
        user = self._tokens.owner(token, Purpose.RESET_PASSWORD)
        proof = self._tokens.redeem(token, Purpose.RESET_PASSWORD)
        if proof.email != user.email:
            raise InvalidToken
        self._set(user, password)
        # Whoever has the link reads the mailbox.
        user.email_verified_at = user.email_verified_at or utc_now()
        self._logins.end(user.id, EventType.PASSWORD_RESET.value)
        self._trail.record(EventType.PASSWORD_RESET, user_id=user.id)

    def change(self, user_id: UUID, session_id: UUID, current: str, new: str) -> None:
        """Other logins end. Raises WrongPassword, TooManyAttempts or PasswordTooCommon."""
        user = Confirmation(self._db, self._trail, self._origin.address).confirm(user_id, current)
        self._set(user, new)
        self._logins.end(user.id, EventType.PASSWORD_CHANGED.value, but=session_id)
        self._trail.record(EventType.PASSWORD_CHANGED, user_id=user.id, session_id=session_id)

    def _set(self, user: User, password: str) -> None:
        """Also cancels what somebody who knew the old one may have set going."""
        check_password(password, user.username, user.full_name, user.email)
        user.hashed_password = hash_password(password)
        self._tokens.cancel(user.id, Purpose.RESET_PASSWORD, Purpose.CHANGE_EMAIL)
        self._mails.write(PASSWORD_CHANGED_NOTICE, user, to=user.email)


def send_reset_link(
    db: Session,
    mails: Mails,
    user: User,
    text: Text = RESET_PASSWORD,
    lifetime: timedelta = RESET_LIFETIME,
) -> None:
    """The caller holds the user's row locked."""
    issued = OneTimeTokens(db).issue(user, Purpose.RESET_PASSWORD, user.email, lifetime)
    mails.write(
        text,
        user,
        to=user.email,
        expires_at=issued.expires_at,
        link=mails.link("reset-password", issued.token),
        hours=str(issued.hours),
    )


def answer_forgotten(db: Session, mails: Mails, arguments: Mapping[str, Any]) -> None:
    """The worker's side of `forgot`: nothing for an unknown address or who may not log in."""
    if arguments["user_id"] is None:
        return
    user = UserRepository(db).locked(UUID(arguments["user_id"]))
    if user is not None and user.may_log_in:
        send_reset_link(db, mails, user)
