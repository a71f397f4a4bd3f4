"""Password hashing: the only module that imports passlib.

argon2id with passlib's parameters; bcrypt hashes brought from elsewhere
verify and are replaced at the next login. Passwords may hold any Unicode and
count in their normal form C (RFC 8265, OpaqueString): keyboards differ in how
they compose what looks the same.
"""

import unicodedata

from passlib.context import CryptContext

_context = CryptContext(schemes=["argon2", "bcrypt"], deprecated=["bcrypt"], argon2__type="ID")
_NOBODYS = _context.hash("a password that no account has")


def normalized(password: str) -> str:
    return unicodedata.normalize("NFC", password)


def hash_password(password: str) -> str:
    return _context.hash(normalized(password))


def verify_password(password: str, stored_hash: str | None) -> tuple[bool, str | None]:
    """Whether it matches, and a better hash to keep when the stored one is outdated.

    Without a stored hash (no such account) the same work is done, so that the
    time of a refusal doesn't tell which names exist.
    """
    matches, replacement = _context.verify_and_update(normalized(password), stored_hash or _NOBODYS)
    return (matches, replacement) if stored_hash else (False, None)
