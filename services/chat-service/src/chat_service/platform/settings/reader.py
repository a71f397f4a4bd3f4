"""Settings as the code reads them: fresh within seconds, and there when PostgreSQL isn't."""

from collections.abc import Mapping
from threading import Lock
from time import monotonic
from typing import Any, cast

import structlog
from pydantic import JsonValue
from sqlalchemy import text

from chat_service.platform.settings.errors import InvalidValue, SecretUnreadable
from chat_service.platform.settings.registry import SETTINGS
from chat_service.platform.settings.setting import Setting, Value
from chat_service.platform.settings.vault import Unreadable, Vault
from cogniflow_kit.sql.database import Database, is_away
from cogniflow_kit.sql.deadline import within

log = structlog.stdlib.get_logger(__name__)

FRESH_S = 5.0
"""How long a value that was changed elsewhere may still be read as it was."""
_PATIENCE_S = 0.4
_READ = text("SELECT json_object_agg(setting_key, setting_value) AS stored FROM system_settings")


class SettingsReader:
    """The settings of one process. While PostgreSQL is away: as they were last known, else their defaults."""

    def __init__(self, database: Database, vault: Vault) -> None:
        self._database = database
        self._vault = vault
        self._stored: Mapping[str, JsonValue] = {}
        self._values: Mapping[str, Any] = {}
        self._unreadable: frozenset[str] = frozenset()
        self._due = 0.0
        self._is_away = False
        self._reading = Lock()

    def get(self, setting: Setting[Value]) -> Value:
        """The value that counts now. Raises SecretUnreadable for a secret that another key encrypted."""
        if monotonic() >= self._due:
            self._try_to_refresh()
        if setting.key in self._unreadable:
            raise SecretUnreadable(setting.key)
        return cast(Value, self._values.get(setting.key, setting.default))

    def forget(self) -> None:
        """Read anew before the next use."""
        self._due = 0.0

    def renew(self) -> None:
        """Read them now, for what mustn't go by old values. Raises when PostgreSQL is away."""
        with within(_PATIENCE_S):
            row = self._database.run(_READ)
        self._take((row.stored if row is not None else None) or {})
        self._due = monotonic() + FRESH_S

    def _try_to_refresh(self) -> None:
        # Nobody waits for another's reading, but for the first one.
        if not self._reading.acquire(blocking=self._due == 0.0):
            return
        try:
            if monotonic() >= self._due:
                self.renew()
                self._note_there()
        except Exception as error:
            if not is_away(error):
                raise
            self._note_away(error)
            self._due = monotonic() + FRESH_S
        finally:
            self._reading.release()

    def _take(self, stored: Mapping[str, JsonValue]) -> None:
        if stored == self._stored:
            return
        values: dict[str, Any] = {}
        unreadable = set()
        for key, value in stored.items():
            setting = SETTINGS.get(key)
            if setting is None:
                continue  # of another version of this service
            try:
                values[key] = setting.check(self._vault.open(value) if setting.is_secret else value)
            except Unreadable:
                unreadable.add(key)
                log.warning("a secret setting can't be read: another key encrypted it", key=key)
            except InvalidValue:
                log.warning("a stored setting isn't valid, its default counts", key=key)
        self._stored, self._values, self._unreadable = stored, values, frozenset(unreadable)

    def _note_away(self, error: Exception) -> None:
        if not self._is_away:
            log.warning("settings stay as last known, PostgreSQL is away", error=type(error).__name__)
        self._is_away = True

    def _note_there(self) -> None:
        if self._is_away:
            log.info("settings are read again")
        self._is_away = False
