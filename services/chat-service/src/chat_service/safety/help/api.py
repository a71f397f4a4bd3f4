"""The route of help places. It needs neither an account nor a store."""

from typing import Annotated

from fastapi import APIRouter, Query, Response

from chat_service.dependencies import PreferredLocale
from chat_service.safety.help.places import Resource, language_shown, resources
from cogniflow_kit.schemas import ResponseBody

router = APIRouter(tags=["safety"])


class HelpOut(ResponseBody):
    """`language`: the language of the descriptions."""

    language: str
    resources: list[Resource]


@router.get("/api/safety/resources")
async def find_help(
    response: Response,
    preferred_locale: PreferredLocale,
    locale: Annotated[
        str | None, Query(description="such as `de-CH`; anything unknown gives English")
    ] = None,
) -> HelpOut:
    """Return help places by `locale`, or by the header Accept-Language without it."""
    chosen = locale or preferred_locale
    response.headers["Cache-Control"] = "public, max-age=86400"
    response.headers["Vary"] = "Accept-Language"
    return HelpOut(language=language_shown(chosen), resources=resources(chosen))
