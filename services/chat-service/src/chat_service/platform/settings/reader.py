"""Reads settings for the code: at most five seconds old, and available during an outage of PostgreSQL."""

from collections.abc import Mapping
from threading import Lock
from time import monotonic
from typing import Any, cast

import structlog
from pydantic import JsonValue
from sqlalchemy import text

from chat_service.platform.settings.definitions import SETTINGS, Setting, Value
from chat_service.platform.settings.encryption import SecretCipher
from chat_service.platform.settings.errors import DecryptionFailed, InvalidValue, SecretUnreadable
from cogniflow_kit.sql.database import Database, is_away
from cogniflow_kit.sql.deadline import within

log = structlog.stdlib.get_logger(__name__)

FRESH_S = 5.0
"""How long a process may use a value that another process has changed since."""
_READ_DEADLINE_S = 0.4
_READ_ALL = text("SELECT json_object_agg(setting_key, setting_value) AS stored FROM system_settings")


class SettingsReader:
    """A process's cache of all settings.

    While PostgreSQL is unavailable it returns the last known values, and
    defaults where it never read any.
    """

    def __init__(self, database: Database, cipher: SecretCipher) -> None:
        self._database = database
        self._cipher = cipher
        self._stored: Mapping[str, JsonValue] = {}
        self._values: Mapping[str, Any] = {}
        self._unreadable: frozenset[str] = frozenset()
        self._refresh_at = 0.0
        self._in_outage = False
        self._refreshing = Lock()

    def get(self, setting: Setting[Value]) -> Value:
        """Return the present value. Raises: SecretUnreadable (it was encrypted with an unknown key)"""
        if monotonic() >= self._refresh_at:
            self._refresh_if_possible()
        if setting.key in self._unreadable:
            raise SecretUnreadable(setting.key)
        return cast(Value, self._values.get(setting.key, setting.default))

    def invalidate(self) -> None:
        """Read the settings again before the next use."""
        self._refresh_at = 0.0

    def refresh(self) -> None:
        """Read the settings now, for callers that must not use old values.

        Raises: OperationalError, Unavailable (PostgreSQL is unavailable)
        """
        with within(_READ_DEADLINE_S):
            row = self._database.run(_READ_ALL)
        self._update((row.stored if row is not None else None) or {})
        self._refresh_at = monotonic() + FRESH_S

    def _refresh_if_possible(self) -> None:
        # One thread refreshes; the others use the cached values, except before the first refresh.
        if not self._refreshing.acquire(blocking=self._refresh_at == 0.0):
            return
        try:
            if monotonic() >= self._refresh_at:
                self.refresh()
                self._end_outage()
        except Exception as error:
            if not is_away(error):
                raise
            self._begin_outage(error)
            self._refresh_at = monotonic() + FRESH_S
        finally:
            self._refreshing.release()

    def _update(self, stored: Mapping[str, JsonValue]) -> None:
        if stored == self._stored:
            return
        values: dict[str, Any] = {}
        unreadable = set()
        for key, value in stored.items():
            setting = SETTINGS.get(key)
            if setting is None:
                continue  # stored by another version of this service
            try:
                values[key] = setting.check(self._cipher.decrypt(value) if setting.is_secret else value)
            except DecryptionFailed:
                unreadable.add(key)
                log.warning("secret setting was encrypted with an unknown key", key=key)
            except InvalidValue:
                log.warning("stored setting is invalid, its default applies", key=key)
        self._stored, self._values, self._unreadable = stored, values, frozenset(unreadable)

    def _begin_outage(self, error: Exception) -> None:
        if not self._in_outage:
            log.warning("PostgreSQL is unavailable, using last known settings", error=type(error).__name__)
        self._in_outage = True

    def _end_outage(self) -> None:
        if self._in_outage:
            log.info("settings are read again")
        self._in_outage = False
