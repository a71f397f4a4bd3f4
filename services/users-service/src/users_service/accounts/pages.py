"""The pages that mailed links lead to: confirm an address, set a password.

A GET only shows a form, because mail scanners open links, too; its button
sends the POST. A web app can use the JSON routes with the same token instead.
"""

from collections.abc import Callable
from html import escape
from string import Template
from typing import Annotated

from fastapi import APIRouter, Form, Query
from fastapi.responses import HTMLResponse
from sqlalchemy.orm import Session

from cogniflow_kit.errors import ServiceError
from cogniflow_kit.sql.database import DatabaseSession
from users_service.accounts.dependencies import EmailAddressService, PasswordService
from users_service.accounts.password_policy import MAX_LENGTH, MIN_LENGTH
from users_service.accounts.schemas import ResetForm, VerifyForm
from users_service.html import error_page, page, page_errors

_VERIFY_TITLE = "Confirm your e-mail address"
_VERIFY_FORM = Template("""<form method="post">
<input type="hidden" name="token" value="$token">
<p><button>Yes, this is my address</button></p>
</form>""")
_RESET_TITLE = "Choose a new password"
_RESET_FORM = Template("""<form method="post">
<input type="hidden" name="token" value="$token">
<p><label for="password">New password, at least $min_length characters</label></p>
<p><input id="password" name="password" type="password" autocomplete="new-password" required
 minlength="$min_length" maxlength="$max_length"></p>
<p><button>Set the password</button></p>
</form>""")

router = APIRouter(
    prefix="/api/auth/links",
    tags=["pages of mailed links"],
    default_response_class=HTMLResponse,
    responses=page_errors(403, 409, 422),
)
LinkToken = Annotated[str, Query(min_length=20, max_length=100, pattern=r"^[A-Za-z0-9_-]+$")]


@router.get("/verify-email")
def verify_page(token: LinkToken) -> HTMLResponse:
    """Show a form that confirms the address."""
    return page(_VERIFY_TITLE, _VERIFY_FORM.substitute(token=escape(token)))


@router.post("/verify-email")
def verify(
    form: Annotated[VerifyForm, Form()], db: DatabaseSession, email_addresses: EmailAddressService
) -> HTMLResponse:
    """Confirm the address."""
    return _result_page(
        _VERIFY_TITLE, db, lambda: email_addresses.verify(form.token), "Your e-mail address is confirmed."
    )


@router.get("/reset-password")
def reset_page(token: LinkToken) -> HTMLResponse:
    """Show a form that asks for the new password."""
    return page(_RESET_TITLE, _reset_form(token))


@router.post("/reset-password")
def reset(
    form: Annotated[ResetForm, Form()], db: DatabaseSession, passwords: PasswordService
) -> HTMLResponse:
    """Set the new password, and end all login sessions."""
    return _result_page(
        _RESET_TITLE,
        db,
        lambda: passwords.reset(form.token, form.password),
        "Your password is set. Log in with it.",
        _reset_form(form.token),
    )


def _reset_form(token: str) -> str:
    return _RESET_FORM.substitute(token=escape(token), min_length=MIN_LENGTH, max_length=MAX_LENGTH)


def _result_page(
    title: str, db: Session, run: Callable[[], None], success: str, form: str = ""
) -> HTMLResponse:
    """Call `run` and show its success, or its error with the form again; an error changes nothing."""
    try:
        run()
    except ServiceError as error:
        return error_page(title, error, db, form)
    return page(title, f'<p role="status">{escape(success)}</p>')
