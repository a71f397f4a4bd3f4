"""HTML of the outbox page, which shows mails to admins when there is no mail server."""

import re
from datetime import datetime
from html import escape
from string import Template

from cogniflow_kit.schemas import Page
from users_service.mail.schemas import MailOut
from users_service.mail.service import link_prefix
from users_service.settings import Settings

TITLE = "Outbox"
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


def login_form(button: str = "Show the mails", *, username: str = "", cursor: str = "") -> str:
    """Render the form that asks for an admin's name and password."""
    hidden = _CURSOR.substitute(cursor=escape(cursor)) if cursor else ""
    return _FORM.substitute(button=button, username=escape(username), cursor=hidden)


def mail_list(mails: Page[MailOut], username: str, settings: Settings) -> str:
    """Render a page of mails, and a form for the next page if there is one."""
    parts = [_INTRODUCTION] if mails.items else ['<p role="status">No mails are waiting.</p>']
    parts += [_mail(number, mail, settings) for number, mail in enumerate(mails.items, start=1)]
    if mails.next_cursor:
        parts.append(
            _OLDER.format(login_form("Show older mails", username=username, cursor=mails.next_cursor))
        )
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
    """Render a mail's body as paragraphs.

    Only links that this service wrote become HTML links: a user's name may contain a URL, too.
    """
    if not body:
        return "<p>Its text is for the mail server alone.</p>"
    own_link = re.compile(re.escape(link_prefix(settings)) + r"/[a-z-]+\?token=[\w-]+")

    def line(text: str) -> str:
        if not own_link.fullmatch(text):
            return escape(text)
        # <wbr> lets a long link wrap in a narrow window and on paper.
        pieces = "<wbr>".join(map(escape, re.findall(".{1,16}", text)))
        return f'<a href="{escape(text)}">{pieces}</a>'

    paragraphs = re.split(r"\n\s*\n", body.strip())
    return "\n".join(f"<p>{'<br>'.join(map(line, part.splitlines()))}</p>" for part in paragraphs)


def _time(moment: datetime) -> str:
    return f'<time datetime="{moment.isoformat()}">{moment:%Y-%m-%d %H:%M} UTC</time>'
