"""Limits on asking for mails: nobody's mailbox is flooded through us."""

from sqlalchemy.orm import Session

from users_service.login.errors import TooManyMails
from users_service.login.limits import Limits

PER_MAILBOX = 3
PER_ADDRESS = 20


class MailLimits(Limits):
    """Three a mailbox, whether an account has it or not, and twenty an address."""

    refusal = TooManyMails

    def __init__(self, db: Session, email: str, address: str) -> None:
        super().__init__(db, {f"mail:{email.lower()}": PER_MAILBOX, f"mails-from:{address}": PER_ADDRESS})

    def take(self) -> None:
        """Count this one. Raises TooManyMails."""
        self.settle()
        self.count()
