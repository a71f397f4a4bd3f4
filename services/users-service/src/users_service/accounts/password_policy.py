"""Decides which passwords are accepted."""

import re

from zxcvbn import zxcvbn

from users_service.accounts.errors import PasswordTooCommon, PasswordTooShort
from users_service.password_hashing import normalize_password

MIN_LENGTH = 10
MAX_LENGTH = 128
_MIN_SCORE = 2
"""zxcvbn's score for at least 10^6 guesses. The rate limits allow an attacker about 350,000 a year."""
_SCORED_CHARACTERS = 72
"""zxcvbn's maximum. Further characters can only make a password harder to guess."""
_MIN_NAME_LENGTH = 3


def check_password(password: str, *own_names: str) -> None:
    """Accept passwords that take more than a million guesses.

    `own_names`: the user's username, full name and e-mail address. Their parts
    are removed from the password before it is scored.

    Raises: PasswordTooShort (shorter than MIN_LENGTH), PasswordTooCommon.
    """
    rest = normalize_password(password)
    if len(rest) < MIN_LENGTH:
        raise PasswordTooShort(MIN_LENGTH)
    parts = {
        part for name in own_names for part in re.split(r"[\W_]+", name) if len(part) >= _MIN_NAME_LENGTH
    }
    for part in sorted(parts, key=len, reverse=True):
        rest = re.sub(re.escape(part), "", rest, flags=re.IGNORECASE)
    if not rest or zxcvbn(rest[:_SCORED_CHARACTERS])["score"] < _MIN_SCORE:
        raise PasswordTooCommon
