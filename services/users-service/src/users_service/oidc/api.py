"""Routes of external logins."""

import hmac
from typing import Annotated

from fastapi import APIRouter, Cookie, Query, Response
from fastapi.responses import RedirectResponse

from cogniflow_kit.errors import problems
from users_service.dependencies import CurrentSettings
from users_service.login.schemas import TokenPair
from users_service.oidc.dependencies import ExternalLoginService
from users_service.oidc.errors import ExternalLoginFailed
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
    """Log in at the provider: open this address in a browser."""
    departure = external.start()
    answer = RedirectResponse(departure.url, 302, {"Cache-Control": "no-store"})
    # Lax: it has to come along when the provider sends the browser back, and with nothing else from there.
    answer.set_cookie(
        COOKIE,
        departure.state,
        max_age=int(LIFETIME.total_seconds()),
        path=_PATH,
        secure=settings.public_url.startswith("https:"),
        httponly=True,
        samesite="lax",
    )
    return answer


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
    """Where the provider sends the browser back. The tokens are in the body, never in an address.

    Only the browser that set out gets them: nobody can be logged in to
    somebody else's account by a link.
    """
    response.headers["Cache-Control"] = "no-store"
    response.delete_cookie(COOKIE, path=_PATH)
    if not state or not hmac.compare_digest(state.encode(), (cogniflow_external_login or "").encode()):
        raise ExternalLoginFailed("This login was not begun in this browser; begin again.")
    vouched = error is None and iss in (None, settings.oidc_issuer)
    return external.finish(state, code if vouched else None)
