"""Encrypts secret settings: with the newest key, and reads what earlier keys encrypted."""

import base64
import hashlib

import structlog
from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from pydantic import SecretStr
from sqlalchemy import select

from chat_service import tables
from cogniflow_kit.sql.database import Database

log = structlog.stdlib.get_logger(__name__)


class Unreadable(Exception):
    """Encrypted with a key that isn't among ours, or broken."""


class Vault:
    """`previous`: earlier secrets, separated by commas."""

    def __init__(self, newest: SecretStr, previous: SecretStr | None = None) -> None:
        given = previous.get_secret_value() if previous is not None else ""
        earlier = [part.strip() for part in given.split(",") if part.strip()]
        self._newest = _fernet(newest.get_secret_value())
        self._any = MultiFernet([self._newest, *map(_fernet, earlier)])

    def seal(self, text: str) -> str:
        return self._newest.encrypt(text.encode()).decode()

    def open(self, sealed: object) -> str:
        """Raises Unreadable."""
        try:
            return self._any.decrypt(str(sealed).encode()).decode()
        except InvalidToken as error:
            raise Unreadable from error

    def is_newest(self, sealed: object) -> bool:
        """Whether the newest key alone reads it."""
        try:
            self._newest.decrypt(str(sealed).encode())
        except InvalidToken:
            return False
        return True


def reseal(database: Database, vault: Vault) -> int:
    """Encrypt every secret with the newest key; returns how many weren't. Repeating it does no harm."""
    secrets = (
        select(tables.SystemSetting).where(tables.SystemSetting.setting_type == "secret").with_for_update()
    )
    resealed = 0
    with database.transaction() as session:
        for row in session.scalars(secrets):
            if vault.is_newest(row.setting_value):
                continue
            try:
                row.setting_value = vault.seal(vault.open(row.setting_value))
                resealed += 1
            except Unreadable:
                log.warning(
                    "a secret setting can't be read with SETTINGS_ENCRYPTION_SECRET or _PREVIOUS",
                    key=row.setting_key,
                )
    if resealed:
        log.info("secret settings encrypted with the newest key", count=resealed)
    return resealed


def _fernet(secret: str) -> Fernet:
    return Fernet(base64.urlsafe_b64encode(hashlib.sha256(secret.encode()).digest()))
