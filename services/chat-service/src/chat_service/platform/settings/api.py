"""Routes of settings, for admins."""

from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Depends, Path
from pydantic import JsonValue

from chat_service.platform.settings.definitions import SettingType
from chat_service.platform.settings.dependencies import AdminSettings
from chat_service.platform.settings.service import SettingState
from cogniflow_kit.errors import problems
from cogniflow_kit.identity import Admin
from cogniflow_kit.schemas import Page, PageRequest, RequestBody, ResponseBody

router = APIRouter(prefix="/api/settings", tags=["settings"])

Key = Annotated[str, Path(pattern=r"^[a-z][a-z0-9_.]*$", max_length=100)]


class PutSetting(RequestBody):
    """`value`: any value that the setting's `accepts` allows."""

    value: JsonValue


class SettingOut(ResponseBody):
    """`accepts` is a JSON Schema of the accepted values.

    The `value` of a secret is `{"is_set": …}`. Where the present encryption
    key cannot decrypt a secret, it also has `"is_readable": false`, and the
    secret has to be set again.
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
    """`old_value` and `new_value` are null for the default, and `{"is_set": …}` for a secret."""

    id: UUID
    actor_id: UUID | None
    old_value: JsonValue
    new_value: JsonValue
    changed_at: datetime


@router.get("")
def list_settings(settings: AdminSettings) -> SettingsOut:
    """List every setting with its value and who changed it last. Values of secrets are hidden."""
    return SettingsOut(settings=[_setting_out(state) for state in settings.all()])


@router.put("/{key}", responses=problems(404))
def put_setting(key: Key, body: PutSetting, admin: Admin, settings: AdminSettings) -> SettingOut:
    """Set a value. It applies in this process at once and in all others within five seconds."""
    return _setting_out(settings.change(key, body.value, admin.id))


@router.delete("/{key}", status_code=204, responses=problems(404))
def reset_setting(key: Key, admin: Admin, settings: AdminSettings) -> None:
    """Return to the default."""
    settings.reset(key, admin.id)


@router.get("/{key}/changes", responses=problems(404))
def list_changes(
    key: Key, settings: AdminSettings, page: Annotated[PageRequest, Depends()]
) -> Page[SettingChangeOut]:
    """List who changed the setting, from what to what, newest first."""
    items, next_cursor = page.slice(settings.changes(key, page.after, page.limit))
    return Page(items=[SettingChangeOut.model_validate(item) for item in items], next_cursor=next_cursor)


def _setting_out(state: SettingState) -> SettingOut:
    setting, row = state.setting, state.row
    return SettingOut(
        key=setting.key,
        type=setting.type,
        description=setting.description,
        value=state.value,
        default=state.default,
        is_default=row is None,
        accepts=setting.accepts,
        updated_by=row.updated_by if row else None,
        updated_at=row.updated_at if row else None,
    )
