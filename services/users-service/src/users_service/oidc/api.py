"""Routes of external logins."""

import hmac
from typing import Annotated

from fastapi import APIRouter, Cookie, Query, Response
from fastapi.responses import RedirectResponse

from cogniflow_kit.errors import problems
from users_service.dependencies import CurrentSettings
from users_service.login.schemas import TokenPair
from users_service.oidc.dependencies import ExternalLoginService
from users_service.oidc.errors import LoginOfAnotherBrowser
from users_service.oidc.service import LIFETIME

router = APIRouter(prefix="/api/auth/oidc", tags=["external login"])

COOKIE = "cogniflow_external_login"
_PATH = "/api/auth/oidc"
_Text = Annotated[str | None, Query(max_length=4000)]


@router.get(
    "/start",
    status_code=302,
    response_class=RedirectResponse,
    responses={302: {"description": "To the provider"}, **problems(404)},
)
def start(external: ExternalLoginService, settings: CurrentSettings) -> RedirectResponse:
    """Redirect the browser to the provider's login."""
    authorization = external.start()
    redirect = RedirectResponse(authorization.url, 302, {"Cache-Control": "no-store"})
    # SameSite=Lax: the browser sends the cookie when the provider redirects it back, and with no
    # other request from the provider's site.
    redirect.set_cookie(
        COOKIE,
        authorization.state,
        max_age=int(LIFETIME.total_seconds()),
        path=_PATH,
        secure=settings.public_url.startswith("https:"),
        httponly=True,
        samesite="lax",
    )
    return redirect


@router.get("/callback", responses=problems(404, 409))
def callback(
    external: ExternalLoginService,
    response: Response,
    settings: CurrentSettings,
    state: _Text = None,
    code: _Text = None,
    error: _Text = None,
    iss: _Text = None,
    cogniflow_external_login: Annotated[str | None, Cookie(max_length=200)] = None,
) -> TokenPair:
    """Finish the login after the provider redirects the browser back. Returns the tokens in the body.

    Works only in the browser that started the login. Otherwise an attacker's
    link could log a user in to the attacker's account.
    """
    response.headers["Cache-Control"] = "no-store"
    response.delete_cookie(COOKIE, path=_PATH)
    if not state or not hmac.compare_digest(state.encode(), (cogniflow_external_login or "").encode()):
        raise LoginOfAnotherBrowser
    succeeded = error is None and iss in (None, settings.oidc_issuer)
    return external.finish(state, code if succeeded else None)
