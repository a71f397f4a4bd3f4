"""Texts of all mails, kept in one place for translators.

Mails are plain text. Placeholders: `$name`, `$link`, `$hours`, `$email`.
"""

from dataclasses import dataclass
from string import Template


@dataclass(frozen=True)
class MailTemplate:
    subject: str
    body: str

    def render(self, **values: str) -> str:
        """Return the body with the placeholders filled in. Raises: KeyError (for a missing value)."""
        return Template(self.body).substitute(values)


VERIFY_EMAIL = MailTemplate(
    "Confirm your e-mail address",
    """Hello $name,

please confirm that this address is yours:

$link

The link works once, for $hours hours.
If you didn't open an account at CogniFlow, ignore this message.
""",
)

RESET_PASSWORD = MailTemplate(
    "Choose a new password",
    """Hello $name,

here you can choose a new password:

$link

The link works once, for $hours hour(s). If you didn't ask for it,
ignore this message: your password stays as it is.
""",
)

INVITATION = MailTemplate(
    "Your account at CogniFlow",
    """Hello $name,

an account was opened for you at CogniFlow. Choose your password here:

$link

The link works once, for $hours hours.
After that, ask for a new one with "forgotten password".
""",
)

CHANGE_EMAIL = MailTemplate(
    "Confirm your new e-mail address",
    """Hello $name,

please confirm that this is your new e-mail address:

$link

The link works once, for $hours hours. Until you follow it, everything goes
to your present address. If you didn't ask for this, ignore this message.
""",
)

EMAIL_CHANGE_NOTICE = MailTemplate(
    "Your e-mail address is about to change",
    """Hello $name,

somebody who knows your password asked to change the e-mail address of your
account to $email.

If it wasn't you, change your password now: that also cancels this change.
""",
)

PASSWORD_CHANGED_NOTICE = MailTemplate(
    "Your password was changed",
    """Hello $name,

the password of your account was changed, and every other login was ended.

If it wasn't you, ask for a new password with "forgotten password" and tell
an administrator.
""",
)
