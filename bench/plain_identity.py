"""Lower bounds through psycopg2 alone: no SQLAlchemy, no deadlines, no breaker.

A process of its own, because the kit's deadlines change how psycopg2 waits
in the whole process.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from queue import Empty, LifoQueue

import psycopg2
from fastapi import FastAPI, HTTPException, Request, Response
from identity_sql import ME, REFRESH
from psycopg2.extensions import connection as Connection  # noqa: N812 -- a class, named in lower case
from psycopg2.extensions import cursor as Cursor  # noqa: N812 -- a class, named in lower case
from sqlalchemy.engine import make_url

_ME = ME.format(id="%(id)s")
_REFRESH = REFRESH.format(hash="%(hash)s", next="%(next)s")
_URL = make_url(os.environ["DATABASE_URL"]).set(drivername="postgresql")
_idle: LifoQueue[Connection] = LifoQueue()
app = FastAPI()


@contextmanager
def _cursor() -> Iterator[Cursor]:
    """On a connection in autocommit mode, that is kept for the next request."""
    try:
        connection = _idle.get_nowait()
    except Empty:
        connection = psycopg2.connect(_URL.render_as_string(hide_password=False))
        connection.autocommit = True
    with connection.cursor() as cursor:
        yield cursor
    _idle.put(connection)


@app.get("/me/{user_id}")
def me(user_id: str) -> Response:
    with _cursor() as cursor:
        cursor.execute(_ME, {"id": user_id})
        row = cursor.fetchone()
    if row is None:
        raise HTTPException(404)
    return Response(row[0], media_type="application/json")


@app.post("/refresh")
def refresh(request: Request) -> dict[str, bool]:
    """The statement of a refresh; the caller names the present and the next token."""
    values = {"hash": request.query_params["hash"], "next": request.query_params["next"]}
    with _cursor() as cursor:
        cursor.execute(_REFRESH, values)
        row = cursor.fetchone()
    if row is None:
        raise HTTPException(401)
    return {"refreshed": True}
