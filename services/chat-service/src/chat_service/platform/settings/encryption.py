"""Encryption of secret settings, with key rotation."""

import base64
import hashlib

import structlog
from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from pydantic import SecretStr

from chat_service.platform.settings.errors import DecryptionFailed
from chat_service.platform.settings.repository import SettingsRepository
from cogniflow_kit.sql.database import Database

log = structlog.stdlib.get_logger(__name__)


class SecretCipher:
    """Encrypts with the current key and decrypts with the current or any earlier key (Fernet).

    `previous`: earlier secrets, separated by commas.
    """

    def __init__(self, current: SecretStr, previous: SecretStr | None = None) -> None:
        given = previous.get_secret_value() if previous is not None else ""
        earlier = [part.strip() for part in given.split(",") if part.strip()]
        self._current = _fernet(current.get_secret_value())
        self._all = MultiFernet([self._current, *map(_fernet, earlier)])

    def encrypt(self, text: str) -> str:
        return self._current.encrypt(text.encode()).decode()

    def decrypt(self, encrypted: object) -> str:
        """Raises: DecryptionFailed (no known key fits)"""
        try:
            return self._all.decrypt(str(encrypted).encode()).decode()
        except InvalidToken as error:
            raise DecryptionFailed from error

    def is_current(self, encrypted: object) -> bool:
        """Whether the current key alone decrypts the text."""
        try:
            self._current.decrypt(str(encrypted).encode())
        except InvalidToken:
            return False
        return True


def reencrypt_secrets(database: Database, cipher: SecretCipher) -> int:
    """Encrypt every stored secret with the current key. A repetition changes nothing.

    Returns how many secrets were encrypted anew. Secrets that no known key
    decrypts stay as they are and are logged.
    """
    count = 0
    with database.transaction() as db:
        for row in SettingsRepository(db).lock_secrets():
            if cipher.is_current(row.setting_value):
                continue
            try:
                row.setting_value = cipher.encrypt(cipher.decrypt(row.setting_value))
                count += 1
            except DecryptionFailed:
                log.warning(
                    "secret setting cannot be decrypted with SETTINGS_ENCRYPTION_SECRET or _PREVIOUS",
                    key=row.setting_key,
                )
    if count:
        log.info("secret settings encrypted with the current key", count=count)
    return count


def _fernet(secret: str) -> Fernet:
    return Fernet(base64.urlsafe_b64encode(hashlib.sha256(secret.encode()).digest()))
