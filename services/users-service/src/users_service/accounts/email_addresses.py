"""Rules of e-mail addresses: verify and change them."""

from uuid import UUID

from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from cogniflow_kit.ids import utc_now
from users_service.accounts.errors import EmailAlreadyVerified, InvalidToken, NewEmailTaken, UserNotFound
from users_service.accounts.mailed_links import VERIFY_LIFETIME, MailRateLimit, OneTimeTokens, Purpose
from users_service.accounts.passwords import PasswordConfirmation
from users_service.accounts.repository import UserRepository
from users_service.audit.event_types import EventType
from users_service.audit.service import AuditLog, Origin
from users_service.mail.service import MailWriter
from users_service.mail.templates import CHANGE_EMAIL, EMAIL_CHANGE_NOTICE, VERIFY_EMAIL
from users_service.tables import User


class EmailAddresses:
    def __init__(self, db: Session, audit: AuditLog, mails: MailWriter, origin: Origin) -> None:
        self._db = db
        self._audit = audit
        self._mails = mails
        self._origin = origin
        self._tokens = OneTimeTokens(db)
        self._users = UserRepository(db)

    def send_verification(self, user: User) -> None:
        """Mail a link that confirms the user's address."""
        issued = self._tokens.issue(user, Purpose.VERIFY_EMAIL, user.email, VERIFY_LIFETIME)
        self._mails.write(
            VERIFY_EMAIL,
            user,
            to=user.email,
            expires_at=issued.expires_at,
            link=self._mails.link("verify-email", issued.token),
            hours=str(issued.hours),
        )

    def request_verification(self, user_id: UUID) -> None:
        """Mail the link again. Raises: UserNotFound, EmailAlreadyVerified, TooManyMails."""
        user = self._users.locked(user_id)
        if user is None:
            raise UserNotFound
        if user.email_verified_at is not None:
            raise EmailAlreadyVerified
        MailRateLimit(self._db, user.email, self._origin.address).use()
        self.send_verification(user)

    def request_change(self, user_id: UUID, email: str, password: str) -> None:
        """Mail a link to the new address and a notice to the old one.

        Raises: WrongPassword, TooManyAttempts, TooManyMails, NewEmailTaken.
        """
        user = PasswordConfirmation(self._db, self._audit, self._origin.address).confirm(user_id, password)
        MailRateLimit(self._db, email, self._origin.address).use()
        owner = self._users.by_email(email)
        if owner is not None and owner.id != user.id:
            raise NewEmailTaken
        issued = self._tokens.issue(user, Purpose.CHANGE_EMAIL, email, VERIFY_LIFETIME)
        link = self._mails.link("verify-email", issued.token)
        hours = str(issued.hours)
        self._mails.write(CHANGE_EMAIL, user, to=email, expires_at=issued.expires_at, link=link, hours=hours)
        self._mails.write(EMAIL_CHANGE_NOTICE, user, to=user.email, email=email)
        self._audit.record(EventType.EMAIL_CHANGE_REQUESTED, user_id=user.id)

    def verify(self, token: str) -> None:
        """Confirm the address that the token was mailed to, and make it the user's address if it is new.

        Raises: InvalidToken, NewEmailTaken.
        """
        user, redeemed = self._tokens.redeem(token, Purpose.VERIFY_EMAIL, Purpose.CHANGE_EMAIL)
        if redeemed.purpose == Purpose.CHANGE_EMAIL:
            self._change(user, redeemed.email)
        elif redeemed.email != user.email:
            raise InvalidToken
        else:
            self._audit.record(EventType.EMAIL_VERIFIED, user_id=user.id)
        user.email_verified_at = utc_now()

    def _change(self, user: User, email: str) -> None:
        """Set the new address and cancel the links that were mailed to the old one."""
        try:
            self._users.change_email(user, email)
        except IntegrityError as error:
            raise NewEmailTaken from error
        self._tokens.cancel(user.id, Purpose.VERIFY_EMAIL, Purpose.RESET_PASSWORD)
        self._audit.record(EventType.EMAIL_CHANGED, user_id=user.id)
