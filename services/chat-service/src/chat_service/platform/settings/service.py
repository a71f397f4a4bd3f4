"""Changing settings, and who did."""

from typing import Any
from uuid import UUID

from pydantic import JsonValue
from sqlalchemy import func, select, text
from sqlalchemy.orm import Session

from chat_service import tables
from chat_service.platform.settings.errors import SettingNotFound
from chat_service.platform.settings.reader import SettingsReader
from chat_service.platform.settings.registry import SETTINGS
from chat_service.platform.settings.schemas import SettingChangeOut, SettingOut
from chat_service.platform.settings.setting import Setting
from chat_service.platform.settings.vault import Unreadable, Vault
from cogniflow_kit.sql.database import Database

_ONE_AT_A_TIME = text("SELECT pg_advisory_xact_lock(hashtext('cogniflow-settings'), hashtext(:key))")


class SettingsAdmin:
    """What admins do with settings. A change counts here at once, in other processes within seconds.

    It commits by itself: what is forgotten before the commit would be read
    again as it was.
    """

    def __init__(self, database: Database, vault: Vault, configuration: SettingsReader) -> None:
        self._database = database
        self._vault = vault
        self._configuration = configuration

    def all(self) -> list[SettingOut]:
        with self._database.transaction() as session:
            rows = {row.setting_key: row for row in session.scalars(select(tables.SystemSetting))}
        return [self._out(setting, rows.get(key)) for key, setting in SETTINGS.items()]

    def change(self, key: str, value: JsonValue, actor_id: UUID) -> SettingOut:
        """Set it; the same value again changes nothing. Raises SettingNotFound and InvalidValue."""
        setting = _known(key)
        checked = setting.check(value)
        with self._database.transaction() as session:
            row = _locked(session, key)
            if row is None or self._opened(setting, row) != checked:
                row = self._store(session, setting, row, checked, actor_id)
        self._configuration.forget()
        return self._out(setting, row)

    def reset(self, key: str, actor_id: UUID) -> None:
        """Back to the default. Raises SettingNotFound."""
        setting = _known(key)
        with self._database.transaction() as session:
            row = _locked(session, key)
            if row is not None:
                _record(session, setting, row.setting_value, None, actor_id)
                session.delete(row)
        self._configuration.forget()

    def changes(self, key: str, after: UUID | None, limit: int) -> list[SettingChangeOut]:
        """Newest first, one more than `limit` when there is more. Raises SettingNotFound."""
        _known(key)
        found = (
            select(
                tables.SystemSettingChange.change_id.label("id"),
                tables.SystemSettingChange.actor_id,
                tables.SystemSettingChange.old_value,
                tables.SystemSettingChange.new_value,
                tables.SystemSettingChange.changed_at,
            )
            .where(tables.SystemSettingChange.setting_key == key)
            .order_by(tables.SystemSettingChange.change_id.desc())
            .limit(limit + 1)
        )
        if after is not None:
            found = found.where(tables.SystemSettingChange.change_id < after)
        with self._database.transaction() as session:
            return [SettingChangeOut.model_validate(row) for row in session.execute(found)]

    def _store(
        self,
        session: Session,
        setting: Setting[Any],
        row: tables.SystemSetting | None,
        checked: Any,
        actor_id: UUID,
    ) -> tables.SystemSetting:
        stored = self._vault.seal(checked) if setting.is_secret else setting.plain(checked)
        _record(session, setting, row.setting_value if row else None, stored, actor_id)
        if row is None:
            row = tables.SystemSetting(setting_key=setting.key)
            session.add(row)
        row.setting_value = stored
        row.setting_type = setting.type
        row.description = setting.description
        row.updated_by = actor_id
        row.updated_at = func.now()
        session.flush()
        session.refresh(row)
        return row

    def _opened(self, setting: Setting[Any], row: tables.SystemSetting) -> Any:
        """The stored value, None when it can't be read."""
        try:
            return self._vault.open(row.setting_value) if setting.is_secret else row.setting_value
        except Unreadable:
            return None

    def _out(self, setting: Setting[Any], row: tables.SystemSetting | None) -> SettingOut:
        default = setting.plain(setting.default)
        value = default if row is None else row.setting_value
        if setting.is_secret:
            default, value = {"is_set": False}, self._shown(setting, row)
        return SettingOut(
            key=setting.key,
            type=setting.type,
            description=setting.description,
            value=value,
            default=default,
            is_default=row is None,
            accepts=setting.accepts,
            updated_by=row.updated_by if row else None,
            updated_at=row.updated_at if row else None,
        )

    def _shown(self, setting: Setting[Any], row: tables.SystemSetting | None) -> JsonValue:
        if row is None:
            return {"is_set": False}
        readable = self._opened(setting, row) is not None
        return {"is_set": True} if readable else {"is_set": True, "is_readable": False}


def _known(key: str) -> Setting[Any]:
    try:
        return SETTINGS[key]
    except KeyError:
        raise SettingNotFound from None


def _locked(session: Session, key: str) -> tables.SystemSetting | None:
    """The row, to this transaction alone, also while there is none yet."""
    session.execute(_ONE_AT_A_TIME, {"key": key})
    return session.scalar(
        select(tables.SystemSetting).where(tables.SystemSetting.setting_key == key).with_for_update()
    )


def _record(session: Session, setting: Setting[Any], old: JsonValue, new: JsonValue, actor_id: UUID) -> None:
    if setting.is_secret:
        old, new = {"is_set": old is not None}, {"is_set": new is not None}
    session.add(
        tables.SystemSettingChange(setting_key=setting.key, actor_id=actor_id, old_value=old, new_value=new)
    )
