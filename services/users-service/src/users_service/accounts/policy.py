"""Which passwords are good enough."""

import re

from zxcvbn import zxcvbn

from users_service.accounts.errors import PasswordTooCommon
from users_service.passwords import normalized

MIN_LENGTH = 10
MAX_LENGTH = 128
_ENOUGH = 2  # zxcvbn's score for at least a million guesses; limits allow some 350,000 a year
_LOOKED_AT = 72  # what zxcvbn takes at most; more can only make a password better
_NAME_PART = 3


def check_password(password: str, *own_names: str) -> None:
    """Raises PasswordTooCommon when guessable within a million tries by somebody who knows the names.

    `own_names`: username, full name, e-mail address. What the password
    borrows from them doesn't count; the rest must do on its own.
    """
    rest = normalized(password)
    if len(rest) < MIN_LENGTH:
        raise PasswordTooCommon(f"Choose a password of at least {MIN_LENGTH} characters.")
    parts = {part for name in own_names for part in re.split(r"[\W_]+", name) if len(part) >= _NAME_PART}
    for part in sorted(parts, key=len, reverse=True):
        rest = re.sub(re.escape(part), "", rest, flags=re.IGNORECASE)
    if not rest or zxcvbn(rest[:_LOOKED_AT])["score"] < _ENOUGH:
        raise PasswordTooCommon("This password is easy to guess; choose a longer or less usual one.")
