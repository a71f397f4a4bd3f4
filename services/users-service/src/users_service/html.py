"""Pages for people. Without script and style they can be read aloud, printed, and seen at any width."""

from html import escape
from string import Template
from typing import Any

from fastapi.responses import HTMLResponse
from sqlalchemy.orm import Session

from cogniflow_kit.errors import PROBLEM_JSON, ServiceError, problems

_HEADERS = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": "default-src 'none'; base-uri 'none'; form-action 'self';"
    " frame-ancestors 'none'",
    "Referrer-Policy": "no-referrer",
}
_PAGE = Template("""<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>$title - CogniFlow</title>
</head>
<body>
<main>
<h1>$title</h1>
$content
</main>
</body>
</html>
""")


def page(title: str, content: str) -> HTMLResponse:
    """`content` is HTML; whoever makes it escapes what came from people. Never cached, never framed."""
    return _answer(title, content)


def refusal_page(title: str, refusal: ServiceError, db: Session, form: str) -> HTMLResponse:
    """Says what is wrong and shows the form again. Undoes what was written, unless that is to stay."""
    if not refusal.keeps_changes:
        db.rollback()
    content = f'<p role="alert">{escape(refusal.detail)}</p>\n{form}'
    return _answer(title, content, refusal.status, refusal.headers)


def page_refusals(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """The `responses=` of a route: these statuses answer with a page, or with a problem."""
    return {
        status: {**found, "content": {"text/html": {}, PROBLEM_JSON: {}}}
        for status, found in problems(*statuses).items()
    }


def _answer(
    title: str, content: str, status: int = 200, headers: dict[str, str] | None = None
) -> HTMLResponse:
    text = _PAGE.substitute(title=escape(title), content=content)
    return HTMLResponse(text, status, {**(headers or {}), **_HEADERS})
