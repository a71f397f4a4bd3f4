"""Lower bounds for identity requests under the same server: hello world, the same SQL, the same argon2."""

import os

from fastapi import FastAPI, HTTPException, Request, Response
from identity_data import PASSWORD
from identity_sql import ME, REFRESH
from sqlalchemy import text

from cogniflow_kit.sql.database import Database
from users_service.password_hashing import hash_password, verify_password

_ME = text(ME.format(id=":id"))
_REFRESH = text(REFRESH.format(hash=":hash", next=":next"))
_HASHED = hash_password(PASSWORD)
_database = Database(os.environ["DATABASE_URL"], application="bench")
app = FastAPI()


@app.get("/hello")
async def hello() -> dict[str, str]:
    return {"hello": "world"}


@app.get("/me/{user_id}")
def me(user_id: str) -> Response:
    row = _database.run(_ME, {"id": user_id})
    if row is None:
        raise HTTPException(404)
    return Response(row.body, media_type="application/json")


@app.post("/argon2")
def argon2() -> dict[str, bool]:
    return {"matches": verify_password(PASSWORD, _HASHED)[0]}


@app.post("/refresh")
def refresh(request: Request) -> dict[str, bool]:
    """The statement of a refresh; the caller names the present and the next token."""
    values = {"hash": request.query_params["hash"], "next": request.query_params["next"]}
    if _database.run(_REFRESH, values) is None:
        raise HTTPException(401)
    return {"refreshed": True}
