"""Routes of the mails, for admins: as JSON, and as a page.

The page asks for an admin's name and password with every request. It starts
no login session and sets no cookie, so other sites can't misuse one and the
admin isn't left logged in on a shared computer.
"""

from typing import Annotated

from fastapi import APIRouter, Depends, Form, Response
from fastapi.responses import HTMLResponse

from cogniflow_kit.errors import ServiceError
from cogniflow_kit.schemas import Page, PageRequest
from cogniflow_kit.sql.database import DatabaseSession
from users_service.audit.dependencies import Admin
from users_service.dependencies import CurrentSettings
from users_service.html import error_page, page, page_errors
from users_service.login.dependencies import LoginService
from users_service.mail.dependencies import Outbox
from users_service.mail.outbox_page import TITLE, login_form, mail_list
from users_service.mail.schemas import MailOut, OutboxForm

router = APIRouter(tags=["mails"])

_PAGE_PATH = "/api/admin/outbox"
_PAGE_SIZE = 20


@router.get("/api/admin/mails")
def mails(
    admin: Admin, outbox: Outbox, page: Annotated[PageRequest, Depends()], response: Response
) -> Page[MailOut]:
    """List mails, newest first. Reading them is recorded."""
    response.headers["Cache-Control"] = "no-store"
    return outbox.read(admin.id, page)


@router.get(_PAGE_PATH, response_class=HTMLResponse)
def ask() -> HTMLResponse:
    """Show a form that asks for an admin's name and password."""
    return page(TITLE, login_form())


@router.post(_PAGE_PATH, response_class=HTMLResponse, responses=page_errors(401, 403, 429))
def show(
    form: Annotated[OutboxForm, Form()],
    db: DatabaseSession,
    login: LoginService,
    outbox: Outbox,
    settings: CurrentSettings,
) -> HTMLResponse:
    """Show mails, newest first. Wrong passwords count as failed logins."""
    try:
        admin = login.authenticate_admin(form.username, form.password, f"POST {_PAGE_PATH}")
    except ServiceError as error:
        return error_page(TITLE, error, db, login_form(username=form.username, cursor=form.cursor))
    mails = outbox.read(admin.id, PageRequest(limit=_PAGE_SIZE, cursor=form.cursor or None))
    return page(TITLE, mail_list(mails, form.username, settings))
