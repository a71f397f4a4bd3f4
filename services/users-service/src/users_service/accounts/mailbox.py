"""Rules of e-mail addresses: proving that one is read, and changing it."""

from uuid import UUID

from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from cogniflow_kit.ids import utc_now
from users_service.accounts.confirmation import Confirmation
from users_service.accounts.errors import EmailAlreadyVerified, EmailTaken, InvalidToken, UserNotFound
from users_service.accounts.limits import MailLimits
from users_service.accounts.repository import UserRepository
from users_service.accounts.tokens import VERIFY_LIFETIME, OneTimeTokens, Purpose
from users_service.audit.trail import EventType, Origin, Trail
from users_service.mail.mails import Mails
from users_service.mail.texts import CHANGE_EMAIL, EMAIL_CHANGE_NOTICE, VERIFY_EMAIL
from users_service.tables import User


class Mailboxes:
    def __init__(self, db: Session, trail: Trail, mails: Mails, origin: Origin) -> None:
        self._db = db
        self._trail = trail
        self._mails = mails
        self._origin = origin
        self._tokens = OneTimeTokens(db)
        self._users = UserRepository(db)

    def send_verification(self, user: User) -> None:
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
        """Send the link again. Raises EmailAlreadyVerified or TooManyMails."""
        user = self._users.locked(user_id)
        if user is None:
            raise UserNotFound("There is no such user.")
        if user.email_verified_at is not None:
            raise EmailAlreadyVerified("This e-mail address is confirmed.")
        MailLimits(self._db, user.email, self._origin.address).take()
        self.send_verification(user)

    def request_change(self, user_id: UUID, email: str, password: str) -> None:
        """Mail a link to the new address and a notice to the old one.

        Raises WrongPassword, TooManyAttempts, TooManyMails or EmailTaken.
        """
        user = Confirmation(self._db, self._trail, self._origin.address).confirm(user_id, password)
        MailLimits(self._db, email, self._origin.address).take()
        owner = self._users.by_email(email)
        if owner is not None and owner.id != user.id:
            raise _taken()
        issued = self._tokens.issue(user, Purpose.CHANGE_EMAIL, email, VERIFY_LIFETIME)
        link = self._mails.link("verify-email", issued.token)
        hours = str(issued.hours)
        self._mails.write(CHANGE_EMAIL, user, to=email, expires_at=issued.expires_at, link=link, hours=hours)
        self._mails.write(EMAIL_CHANGE_NOTICE, user, to=user.email, email=email)
        self._trail.record(EventType.EMAIL_CHANGE_REQUESTED, user_id=user.id)

    def verify(self, token: str) -> None:
        """Confirm the address that the token was sent to. Raises InvalidToken or EmailTaken."""
        user = self._tokens.owner(token, Purpose.VERIFY_EMAIL, Purpose.CHANGE_EMAIL)
        proof = self._tokens.redeem(token, Purpose.VERIFY_EMAIL, Purpose.CHANGE_EMAIL)
        if proof.purpose == Purpose.CHANGE_EMAIL:
            self._change(user, proof.email)
        elif proof.email != user.email:
            raise InvalidToken
        else:
            self._trail.record(EventType.EMAIL_VERIFIED, user_id=user.id)
        user.email_verified_at = utc_now()

    def _change(self, user: User, email: str) -> None:
        """Links that went to the old address die."""
        try:
            with self._db.begin_nested():
                user.email = email
                self._db.flush()
        except IntegrityError as error:
            raise _taken() from error
        self._tokens.cancel(user.id, Purpose.VERIFY_EMAIL, Purpose.RESET_PASSWORD)
        self._trail.record(EventType.EMAIL_CHANGED, user_id=user.id)


def _taken() -> EmailTaken:
    return EmailTaken("Another account has this e-mail address.")
