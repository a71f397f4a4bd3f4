"""The outbox for programs; `pages` shows it to people."""

from typing import Annotated

from fastapi import APIRouter, Depends, Response

from cogniflow_kit.schemas import Page, PageRequest
from users_service.dependencies import Admin, MailOutbox
from users_service.mail.outbox import MailOut

router = APIRouter(tags=["mails"])


@router.get("/api/admin/mails")
def mails(
    admin: Admin, outbox: MailOutbox, page: Annotated[PageRequest, Depends()], response: Response
) -> Page[MailOut]:
    """The newest first. Reading them is recorded."""
    response.headers["Cache-Control"] = "no-store"
    return outbox.read(admin.id, page)
