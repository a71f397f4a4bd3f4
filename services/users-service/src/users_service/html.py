"""HTML pages without script or style: readable by a screen reader, on paper and at any width."""

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
    """Build a page that is never cached or framed.

    `content` is HTML: the caller must escape text from users.
    """
    return _response(title, content)


def error_page(title: str, error: ServiceError, db: Session, form: str) -> HTMLResponse:
    """Build a page with the error's text above the form.

    Rolls the transaction back, unless the error keeps its changes: an error
    that becomes a page doesn't reach the handler that would roll back.
    """
    if not error.keeps_changes:
        db.rollback()
    content = f'<p role="alert">{escape(error.detail)}</p>\n{form}'
    return _response(title, content, error.status, error.headers)


def page_errors(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """Describe these statuses for a route's `responses=`: they answer with a page or with a problem."""
    return {
        status: {**problem, "content": {"text/html": {}, PROBLEM_JSON: {}}}
        for status, problem in problems(*statuses).items()
    }


def _response(
    title: str, content: str, status: int = 200, headers: dict[str, str] | None = None
) -> HTMLResponse:
    text = _PAGE.substitute(title=escape(title), content=content)
    return HTMLResponse(text, status, {**(headers or {}), **_HEADERS})
