"""Routes of settings, for admins."""

from typing import Annotated

from fastapi import APIRouter, Depends, Path, Request, Response

from chat_service.platform.settings.schemas import PutSetting, SettingChangeOut, SettingOut, SettingsOut
from chat_service.platform.settings.service import SettingsAdmin
from cogniflow_kit.errors import problems
from cogniflow_kit.identity import Admin
from cogniflow_kit.schemas import Page, PageRequest


async def get_administration(request: Request, response: Response, _: Admin) -> SettingsAdmin:
    response.headers["Cache-Control"] = "no-store"
    administration: SettingsAdmin = request.app.state.administration
    return administration


router = APIRouter(prefix="/api/settings", tags=["settings"])

Settings = Annotated[SettingsAdmin, Depends(get_administration)]
Key = Annotated[str, Path(pattern=r"^[a-z][a-z0-9_.]*$", max_length=100)]


@router.get("")
def list_settings(settings: Settings) -> SettingsOut:
    """Every setting: what it is for, what it is now, who changed it last. Secrets aren't shown."""
    return SettingsOut(settings=settings.all())


@router.put("/{key}", responses=problems(404))
def put_setting(key: Key, body: PutSetting, admin: Admin, settings: Settings) -> SettingOut:
    """Set it, here at once and everywhere within five seconds."""
    return settings.change(key, body.value, admin.id)


@router.delete("/{key}", status_code=204, responses=problems(404))
def reset_setting(key: Key, admin: Admin, settings: Settings) -> None:
    """Back to the default."""
    settings.reset(key, admin.id)


@router.get("/{key}/changes", responses=problems(404))
def list_changes(
    key: Key, settings: Settings, page: Annotated[PageRequest, Depends()]
) -> Page[SettingChangeOut]:
    """Who changed it, from what to what, newest first."""
    items, next_cursor = page.slice(settings.changes(key, page.after, page.limit))
    return Page(items=items, next_cursor=next_cursor)
