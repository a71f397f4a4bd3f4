"""Bodies of the settings routes."""

from datetime import datetime
from typing import Any
from uuid import UUID

from pydantic import JsonValue

from chat_service.platform.settings.setting import SettingType
from cogniflow_kit.schemas import RequestBody, ResponseBody


class PutSetting(RequestBody):
    """`value`: what the setting's `accepts` describes."""

    value: JsonValue


class SettingOut(ResponseBody):
    """`accepts` is a JSON Schema. Of a secret, `value` is `{"is_set": …}`.

    A secret that the present encryption key can't read has
    `"is_readable": false` beside it, and has to be set again.
    """

    key: str
    type: SettingType
    description: str
    value: JsonValue
    default: JsonValue
    is_default: bool
    accepts: dict[str, Any]
    updated_by: UUID | None
    updated_at: datetime | None


class SettingsOut(ResponseBody):
    settings: list[SettingOut]


class SettingChangeOut(ResponseBody):
    """`old_value` and `new_value` are null for the default, `{"is_set": …}` for a secret."""

    id: UUID
    actor_id: UUID | None
    old_value: JsonValue
    new_value: JsonValue
    changed_at: datetime
