"""The outbox as a page, for admins who try CogniFlow without a mail server.

An admin's name and password open it for one answer. No session begins and no
cookie is set, so another site has nothing to ride on, and nobody stays logged
in at a machine that others use; each further page asks for the password again.
"""

import re
from datetime import datetime
from html import escape
from string import Template
from typing import Annotated

from fastapi import APIRouter, Form
from fastapi.responses import HTMLResponse
from pydantic import Field

from cogniflow_kit.errors import ServiceError
from cogniflow_kit.schemas import Page, PageRequest, RequestBody
from cogniflow_kit.sql.database import DatabaseSession
from users_service.dependencies import CurrentSettings, LoginService, MailOutbox
from users_service.html import page, page_refusals, refusal_page
from users_service.mail.mails import links_address
from users_service.mail.outbox import MailOut
from users_service.settings import Settings

_PATH = "/api/admin/outbox"
_TITLE = "Outbox"
_AT_ONCE = 20
_FORM = Template("""<form method="post">
$cursor<p><label for="username">Username or e-mail address of an admin</label></p>
<p><input id="username" name="username" value="$username" autocomplete="username" required
 maxlength="254" autocapitalize="none" spellcheck="false"></p>
<p><label for="password">Password</label></p>
<p><input id="password" name="password" type="password" autocomplete="current-password" required
 maxlength="128"></p>
<p><button>$button</button></p>
</form>""")
_CURSOR = Template('<input type="hidden" name="cursor" value="$cursor">\n')
_INTRODUCTION = """<p>Pass each link on to its recipient alone. Nobody stays logged in here,
and it is recorded who saw these mails.</p>"""
_MAIL = Template("""<article aria-labelledby="mail-$number">
<h2 id="mail-$number">$subject</h2>
<dl>
<dt>To</dt><dd>$recipient</dd>
<dt>Written</dt><dd>$created_at</dd>
<dt>$until</dt><dd>$moment</dd>
</dl>
$body
</article>""")
_OLDER = '<section aria-labelledby="older">\n<h2 id="older">Older mails</h2>\n{}\n</section>'

router = APIRouter(tags=["mails"], default_response_class=HTMLResponse)


class OutboxForm(RequestBody):
    """`cursor`: where the page before ended; empty for the newest."""

    username: str = Field(min_length=1, max_length=254)
    password: str = Field(min_length=1, max_length=128)
    cursor: str = Field(default="", pattern=r"^([A-Za-z0-9_-]{22})?$")


@router.get(_PATH)
def ask() -> HTMLResponse:
    """Asks for an admin's name and password."""
    return page(_TITLE, _form("Show the mails"))


@router.post(_PATH, responses=page_refusals(401, 403, 429))
def show(
    form: Annotated[OutboxForm, Form()],
    db: DatabaseSession,
    login: LoginService,
    outbox: MailOutbox,
    settings: CurrentSettings,
) -> HTMLResponse:
    """The mails, the newest first, for this one time; wrong passwords count as at every login."""
    try:
        admin = login.as_admin(form.username, form.password, f"POST {_PATH}")
    except ServiceError as refusal:
        again = _form("Show the mails", form.username, form.cursor)
        return refusal_page(_TITLE, refusal, db, again)
    mails = outbox.read(admin.id, PageRequest(limit=_AT_ONCE, cursor=form.cursor or None))
    return page(_TITLE, _listing(mails, form.username, settings))


def _form(button: str, username: str = "", cursor: str = "") -> str:
    hidden = _CURSOR.substitute(cursor=escape(cursor)) if cursor else ""
    return _FORM.substitute(button=button, username=escape(username), cursor=hidden)


def _listing(mails: Page[MailOut], username: str, settings: Settings) -> str:
    parts = [_INTRODUCTION] if mails.items else ['<p role="status">No mails are waiting.</p>']
    parts += [_mail(number, mail, settings) for number, mail in enumerate(mails.items, start=1)]
    if mails.next_cursor:
        parts.append(_OLDER.format(_form("Show older mails", username, mails.next_cursor)))
    return "\n".join(parts)


def _mail(number: int, mail: MailOut, settings: Settings) -> str:
    return _MAIL.substitute(
        number=number,
        subject=escape(mail.subject),
        recipient=escape(mail.recipient),
        created_at=_time(mail.created_at),
        until="Sent" if mail.sent_at else "Kept until",
        moment=_time(mail.sent_at or mail.expires_at),
        body=_body(mail.body, settings),
    )


def _body(body: str, settings: Settings) -> str:
    """Paragraphs whose lines wrap. Only our own links can be followed: names may hold an address, too."""
    if not body:
        return "<p>Its text is for the mail server alone.</p>"
    own_link = re.compile(re.escape(links_address(settings)) + r"/[a-z-]+\?token=[\w-]+")

    def line(text: str) -> str:
        if not own_link.fullmatch(text):
            return escape(text)
        # May wrap anywhere, so that no narrow window or sheet of paper cuts a token off.
        pieces = "<wbr>".join(map(escape, re.findall(".{1,16}", text)))
        return f'<a href="{escape(text)}">{pieces}</a>'

    paragraphs = re.split(r"\n\s*\n", body.strip())
    return "\n".join(f"<p>{'<br>'.join(map(line, part.splitlines()))}</p>" for part in paragraphs)


def _time(moment: datetime) -> str:
    return f'<time datetime="{moment.isoformat()}">{moment:%Y-%m-%d %H:%M} UTC</time>'
