"""Data set: accounts that share a password, and refresh tokens for the lower bound."""

import hashlib
import secrets
from datetime import timedelta
from uuid import UUID

from sqlalchemy import insert

from cogniflow_kit.ids import new_id, utc_now
from cogniflow_kit.sql.database import Database
from users_service.password_hashing import hash_password
from users_service.tables import RefreshToken, User, UserSession

PASSWORD = "correct horse battery"


def new_users(database: Database, count: int) -> list[tuple[UUID, str]]:
    """Create accounts; returns ids and usernames."""
    hashed_password = hash_password(PASSWORD)
    users = [(new_id(), f"learner-{number}") for number in range(count)]
    rows = [
        {
            "id": user_id,
            "username": username,
            "email": f"{username}@example.org",
            "full_name": "Some Learner",
            "hashed_password": hashed_password,
        }
        for user_id, username in users
    ]
    with database.transaction() as session:
        session.execute(insert(User), rows)
    return users


def new_refresh_tokens(database: Database, user_ids: list[UUID]) -> list[str]:
    """Create a login session for each user; returns the hashes of the refresh tokens."""
    now = utc_now()
    hashes = [hashlib.sha256(secrets.token_bytes(32)).hexdigest() for _ in user_ids]
    with database.transaction() as session:
        for user_id, token_hash in zip(user_ids, hashes, strict=True):
            login = UserSession(id=new_id(), user_id=user_id, device="bench", address="", last_used_at=now)
            session.add(login)
            session.flush()
            token = RefreshToken(
                token_hash=token_hash, session_id=login.id, expires_at=now + timedelta(days=30)
            )
            session.add(token)
    return hashes
