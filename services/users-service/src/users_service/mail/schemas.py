"""Response bodies of the mail routes, and the form of the outbox page."""

from datetime import datetime
from uuid import UUID

from pydantic import Field

from cogniflow_kit.schemas import RequestBody, ResponseBody


class MailOut(ResponseBody):
    """`body` is empty once the mail was sent, and always when a mail server is configured."""

    id: UUID
    user_id: UUID | None
    recipient: str
    subject: str
    body: str
    created_at: datetime
    expires_at: datetime
    sent_at: datetime | None


class OutboxForm(RequestBody):
    """`cursor`: the end of the previous page of mails; empty for the newest mails."""

    username: str = Field(min_length=1, max_length=254)
    password: str = Field(min_length=1, max_length=128)
    cursor: str = Field(default="", pattern=r"^([A-Za-z0-9_-]{22})?$")
