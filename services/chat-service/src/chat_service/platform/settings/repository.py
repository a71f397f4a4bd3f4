"""Queries on stored settings and on the record of their changes."""

from typing import Any
from uuid import UUID

from pydantic import JsonValue
from sqlalchemy import Row, func, select, text
from sqlalchemy.orm import Session

from chat_service.tables import SystemSetting, SystemSettingChange

_LOCK_KEY = text("SELECT pg_advisory_xact_lock(hashtext('cogniflow-settings'), hashtext(:key))")


class SettingsRepository:
    def __init__(self, db: Session) -> None:
        self._db = db

    def by_key(self) -> dict[str, SystemSetting]:
        return {row.setting_key: row for row in self._db.scalars(select(SystemSetting))}

    def lock(self, key: str) -> SystemSetting | None:
        """Lock one setting until the transaction ends, also while it has no row."""
        self._db.execute(_LOCK_KEY, {"key": key})
        return self._db.scalar(
            select(SystemSetting).where(SystemSetting.setting_key == key).with_for_update()
        )

    def lock_secrets(self) -> list[SystemSetting]:
        secrets = select(SystemSetting).where(SystemSetting.setting_type == "secret").with_for_update()
        return list(self._db.scalars(secrets))

    def save(self, row: SystemSetting) -> None:
        """Write the row and read the values back that PostgreSQL set."""
        self._db.add(row)
        row.updated_at = func.now()
        self._db.flush()
        self._db.refresh(row)

    def delete(self, row: SystemSetting) -> None:
        self._db.delete(row)

    def add_change(self, key: str, actor_id: UUID, old: JsonValue, new: JsonValue) -> None:
        self._db.add(SystemSettingChange(setting_key=key, actor_id=actor_id, old_value=old, new_value=new))

    def changes(self, key: str, after: UUID | None, limit: int) -> list[Row[Any]]:
        """Return changes of one setting, newest first, one more than `limit` when there are more."""
        changes = (
            select(
                SystemSettingChange.change_id.label("id"),
                SystemSettingChange.actor_id,
                SystemSettingChange.old_value,
                SystemSettingChange.new_value,
                SystemSettingChange.changed_at,
            )
            .where(SystemSettingChange.setting_key == key)
            .order_by(SystemSettingChange.change_id.desc())
            .limit(limit + 1)
        )
        if after is not None:
            changes = changes.where(SystemSettingChange.change_id < after)
        return list(self._db.execute(changes))
