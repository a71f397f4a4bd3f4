"""Where the links in mails lead: two pages with a form each.

Opening one changes nothing, since mail scanners open links too; its button
does. A frontend may take over by calling the JSON routes with the same token.
"""

from collections.abc import Callable
from html import escape
from string import Template
from typing import Annotated

from fastapi import APIRouter, Form, Query
from fastapi.responses import HTMLResponse
from pydantic import Field
from sqlalchemy.orm import Session

from cogniflow_kit.errors import ServiceError
from cogniflow_kit.schemas import RequestBody
from cogniflow_kit.sql.database import DatabaseSession
from users_service.accounts.policy import MAX_LENGTH, MIN_LENGTH
from users_service.accounts.schemas import MailedToken
from users_service.dependencies import MailboxService, PasswordService
from users_service.html import page, page_refusals, refusal_page

_VERIFY = Template("""<form method="post">
<input type="hidden" name="token" value="$token">
<p><button>Yes, this is my address</button></p>
</form>""")
_RESET = Template("""<form method="post">
<input type="hidden" name="token" value="$token">
<p><label for="password">New password, at least $shortest characters</label></p>
<p><input id="password" name="password" type="password" autocomplete="new-password" required
 minlength="$shortest" maxlength="$longest"></p>
<p><button>Set the password</button></p>
</form>""")
_VERIFY_TITLE = "Confirm your e-mail address"
_RESET_TITLE = "Choose a new password"

router = APIRouter(
    prefix="/api/auth/links",
    tags=["pages of mailed links"],
    default_response_class=HTMLResponse,
    responses=page_refusals(403, 409, 422),
)
LinkToken = Annotated[str, Query(min_length=20, max_length=100, pattern=r"^[A-Za-z0-9_-]+$")]


class VerifyForm(RequestBody):
    token: MailedToken


class ResetForm(RequestBody):
    """The password's length is looked at with its other qualities, so that the page can say what is wrong."""

    token: MailedToken
    password: str = Field(min_length=1, max_length=MAX_LENGTH)


@router.get("/verify-email")
def verify_page(token: LinkToken) -> HTMLResponse:
    """Asks to confirm the address."""
    return page(_VERIFY_TITLE, _VERIFY.substitute(token=escape(token)))


@router.post("/verify-email")
def verify(
    form: Annotated[VerifyForm, Form()], db: DatabaseSession, mailboxes: MailboxService
) -> HTMLResponse:
    """Confirms the address."""
    return _answer(
        _VERIFY_TITLE, db, lambda: mailboxes.verify(form.token), "Your e-mail address is confirmed."
    )


@router.get("/reset-password")
def reset_page(token: LinkToken) -> HTMLResponse:
    """Asks for the new password."""
    return page(_RESET_TITLE, _reset_form(token))


@router.post("/reset-password")
def reset(
    form: Annotated[ResetForm, Form()], db: DatabaseSession, passwords: PasswordService
) -> HTMLResponse:
    """Sets the new password; every login ends."""
    return _answer(
        _RESET_TITLE,
        db,
        lambda: passwords.reset(form.token, form.password),
        "Your password is set. Log in with it.",
        _reset_form(form.token),
    )


def _reset_form(token: str) -> str:
    return _RESET.substitute(token=escape(token), shortest=MIN_LENGTH, longest=MAX_LENGTH)


def _answer(title: str, db: Session, run: Callable[[], None], done: str, again: str = "") -> HTMLResponse:
    """What became of it; after a refusal nothing has changed, and the form comes once more."""
    try:
        run()
    except ServiceError as refusal:
        return refusal_page(title, refusal, db, again)
    return page(title, f'<p role="status">{escape(done)}</p>')
