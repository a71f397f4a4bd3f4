"""Lists, changes and resets settings, and records who changed them."""

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from pydantic import JsonValue
from sqlalchemy import Row

from chat_service.platform.settings.definitions import SETTINGS, Setting
from chat_service.platform.settings.encryption import SecretCipher
from chat_service.platform.settings.errors import DecryptionFailed, SettingNotFound
from chat_service.platform.settings.reader import SettingsReader
from chat_service.platform.settings.repository import SettingsRepository
from chat_service.tables import SystemSetting
from cogniflow_kit.sql.database import Database


@dataclass(frozen=True)
class SettingState:
    """A setting with its present value and its stored row, if it has one.

    `value` and `default` of a secret only say whether it is set and readable.
    """

    setting: Setting[Any]
    value: JsonValue
    default: JsonValue
    row: SystemSetting | None


class SettingsService:
    """Settings for admins. A change applies in this process at once, in others within seconds.

    Unlike other services it commits its own transactions: the reader's cache
    must be invalidated after the commit, or it would cache the old value again.
    """

    def __init__(self, database: Database, cipher: SecretCipher, reader: SettingsReader) -> None:
        self._database = database
        self._cipher = cipher
        self._reader = reader

    def all(self) -> list[SettingState]:
        with self._database.transaction() as db:
            rows = SettingsRepository(db).by_key()
        return [self._state(setting, rows.get(key)) for key, setting in SETTINGS.items()]

    def change(self, key: str, value: JsonValue, actor_id: UUID) -> SettingState:
        """Set a value. Setting the present value again changes nothing.

        Raises: SettingNotFound, InvalidValue
        """
        setting = _setting(key)
        checked = setting.check(value)
        with self._database.transaction() as db:
            repository = SettingsRepository(db)
            row = repository.lock(key)
            if row is None or self._stored_value(setting, row) != checked:
                row = self._store(repository, setting, row, checked, actor_id)
        self._reader.invalidate()
        return self._state(setting, row)

    def reset(self, key: str, actor_id: UUID) -> None:
        """Return to the default. Raises: SettingNotFound"""
        setting = _setting(key)
        with self._database.transaction() as db:
            repository = SettingsRepository(db)
            row = repository.lock(key)
            if row is not None:
                _record_change(repository, setting, row.setting_value, None, actor_id)
                repository.delete(row)
        self._reader.invalidate()

    def changes(self, key: str, after: UUID | None, limit: int) -> list[Row[Any]]:
        """Return changes, newest first, one more than `limit` when there are more. Raises: SettingNotFound"""
        _setting(key)
        with self._database.transaction() as db:
            return SettingsRepository(db).changes(key, after, limit)

    def _store(
        self,
        repository: SettingsRepository,
        setting: Setting[Any],
        row: SystemSetting | None,
        checked: Any,
        actor_id: UUID,
    ) -> SystemSetting:
        stored = self._cipher.encrypt(checked) if setting.is_secret else setting.plain(checked)
        _record_change(repository, setting, row.setting_value if row else None, stored, actor_id)
        row = row or SystemSetting(setting_key=setting.key)
        row.setting_value = stored
        row.setting_type = setting.type
        row.description = setting.description
        row.updated_by = actor_id
        repository.save(row)
        return row

    def _stored_value(self, setting: Setting[Any], row: SystemSetting) -> Any:
        """Return the stored value, decrypted; None for a secret that cannot be decrypted."""
        try:
            return self._cipher.decrypt(row.setting_value) if setting.is_secret else row.setting_value
        except DecryptionFailed:
            return None

    def _state(self, setting: Setting[Any], row: SystemSetting | None) -> SettingState:
        default = setting.plain(setting.default)
        value = default if row is None else row.setting_value
        if setting.is_secret:
            default, value = {"is_set": False}, self._secret_state(setting, row)
        return SettingState(setting, value, default, row)

    def _secret_state(self, setting: Setting[Any], row: SystemSetting | None) -> JsonValue:
        if row is None:
            return {"is_set": False}
        readable = self._stored_value(setting, row) is not None
        return {"is_set": True} if readable else {"is_set": True, "is_readable": False}


def _setting(key: str) -> Setting[Any]:
    try:
        return SETTINGS[key]
    except KeyError:
        raise SettingNotFound from None


def _record_change(
    repository: SettingsRepository, setting: Setting[Any], old: JsonValue, new: JsonValue, actor_id: UUID
) -> None:
    """Record a change. Of a secret only whether it was set before and after."""
    if setting.is_secret:
        old, new = {"is_set": old is not None}, {"is_set": new is not None}
    repository.add_change(setting.key, actor_id, old, new)
