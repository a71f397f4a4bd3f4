"""Lower bounds for identity requests under the same server: hello world, the same SQL, the same argon2."""

import os
from typing import Any

from fastapi import FastAPI, Request
from identity_data import PASSWORD
from sqlalchemy import text

from cogniflow_kit.sql.database import Database
from users_service.passwords import hash_password, verify_password

_ME = text("SELECT * FROM users WHERE id = :id")
_OWNER = text(
    "SELECT s.*, u.* FROM user_sessions s JOIN refresh_tokens t ON t.session_id = s.id"
    " JOIN users u ON u.id = s.user_id WHERE t.token_hash = :hash FOR UPDATE OF s"
)
_TOKEN = text("SELECT * FROM refresh_tokens WHERE token_hash = :hash")
_SPEND = text("UPDATE refresh_tokens SET spent_at = now() WHERE token_hash = :hash")
_FOLLOW = text(
    "INSERT INTO refresh_tokens (token_hash, session_id, expires_at)"
    " SELECT :next, session_id, expires_at FROM refresh_tokens WHERE token_hash = :hash"
)
_USED = text(
    "UPDATE user_sessions SET last_used_at = now()"
    " WHERE id = (SELECT session_id FROM refresh_tokens WHERE token_hash = :hash)"
)

_HASHED = hash_password(PASSWORD)
_database = Database(os.environ["DATABASE_URL"], application="bench")
app = FastAPI()


@app.get("/hello")
async def hello() -> dict[str, str]:
    return {"hello": "world"}


@app.get("/me/{user_id}")
def me(user_id: str) -> dict[str, Any]:
    with _database.transaction() as session:
        return dict(session.execute(_ME, {"id": user_id}).mappings().one())


@app.post("/argon2")
def argon2() -> dict[str, bool]:
    return {"matches": verify_password(PASSWORD, _HASHED)[0]}


@app.post("/refresh")
def refresh(request: Request) -> dict[str, bool]:
    """The statements of a refresh; the caller names the present and the next token."""
    values = {"hash": request.query_params["hash"], "next": request.query_params["next"]}
    with _database.transaction() as session:
        for statement in (_OWNER, _TOKEN, _SPEND, _FOLLOW, _USED):
            session.execute(statement, values)
    return {"refreshed": True}
