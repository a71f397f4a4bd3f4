"""Password hashing. The only module of the platform that imports passlib.

Hashes are argon2id with passlib's parameters. bcrypt hashes from older
systems verify, and the next login replaces them. Passwords may contain any
Unicode and are hashed in normalization form C (RFC 8265, OpaqueString),
because keyboards encode the same character differently.
"""

import unicodedata

from passlib.context import CryptContext

_context = CryptContext(schemes=["argon2", "bcrypt"], deprecated=["bcrypt"], argon2__type="ID")
_DUMMY_HASH = _context.hash("a password that no account has")


def normalize_password(password: str) -> str:
    return unicodedata.normalize("NFC", password)


def hash_password(password: str) -> str:
    return _context.hash(normalize_password(password))


def verify_password(password: str, stored_hash: str | None) -> tuple[bool, str | None]:
    """Return whether the password matches, and a new hash to store if the stored one is outdated.

    `stored_hash`: None for an unknown account. It then does the same work, so
    that the response time doesn't tell which accounts exist.
    """
    matches, new_hash = _context.verify_and_update(normalize_password(password), stored_hash or _DUMMY_HASH)
    return (matches, new_hash) if stored_hash else (False, None)
