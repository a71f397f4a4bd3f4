"""Queries on login sessions, refresh tokens and failed attempts."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import delete, func, select, text, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session, joinedload

from cogniflow_kit.ids import new_id, utc_now
from cogniflow_kit.sql.database import Database
from cogniflow_kit.sql.prepared import PreparedStatement
from users_service.tables import LoginFailure, RefreshToken, Revocation, ServiceClient, User, UserSession

# One statement, which commits by itself. It takes the locks of `lock_owner` and `lock_session`, in that
# order. When the statement waited for a row that another transaction changed, PostgreSQL checks the
# conditions again on the new version: of several concurrent refreshes one finds the token unspent.
_ROTATE = PreparedStatement(
    "WITH held AS (SELECT t.token_hash, s.id AS session_id, u.id AS user_id, u.role"
    " FROM refresh_tokens t JOIN user_sessions s ON s.id = t.session_id JOIN users u ON u.id = s.user_id"
    " WHERE t.token_hash = :token_hash AND t.spent_at IS NULL AND t.expires_at > :now"
    " AND s.ended_at IS NULL AND u.is_active AND u.locked_at IS NULL FOR SHARE OF u FOR UPDATE OF s, t),"
    " spent AS (UPDATE refresh_tokens t SET spent_at = :now FROM held"
    " WHERE t.token_hash = held.token_hash RETURNING held.session_id),"
    " followed AS (INSERT INTO refresh_tokens (token_hash, session_id, expires_at)"
    " SELECT :successor_hash, session_id, CAST(:expires_at AS timestamptz) FROM spent),"
    " used AS (UPDATE user_sessions s SET last_used_at = :now, address = :address FROM spent"
    " WHERE s.id = spent.session_id)"
    " SELECT json_build_object('user_id', user_id, 'role', role, 'session_id', session_id) FROM held"
)
_LOCK_KEY = text("SELECT pg_advisory_xact_lock(hashtextextended(:key, 1))")


@dataclass(frozen=True)
class RotatedToken:
    """The user and session of a refresh token that was replaced by its successor."""

    user_id: str
    role: str
    session_id: str


def rotate_token(
    database: Database,
    token_hash: str,
    *,
    successor_hash: str,
    now: datetime,
    expires_at: datetime,
    address: str,
) -> RotatedToken | None:
    """Spend an unspent, valid token and store its successor, in a transaction of its own.

    Returns None if the token is spent or not valid.
    """
    values = {
        "token_hash": token_hash,
        "successor_hash": successor_hash,
        "now": now,
        "expires_at": expires_at,
        "address": address,
    }
    found = database.run_prepared(_ROTATE, values)
    return None if found is None else RotatedToken(**found)


@dataclass(frozen=True)
class ValidRefreshToken:
    """A refresh token with its session and user."""

    token: RefreshToken
    session: UserSession
    user: User


class LoginRepository:
    def __init__(self, db: Session) -> None:
        self._db = db

    def user(self, login: str) -> User | None:
        """Find a user by username or e-mail address, ignoring case."""
        wanted = login.lower()
        named = select(User).where((func.lower(User.username) == wanted) | (func.lower(User.email) == wanted))
        return self._db.scalars(named).first()

    def lock_user(self, user: User) -> None:
        """Lock and re-read the user's row, after a role change, lock or reset that is under way.

        FOR NO KEY UPDATE, because the caller updates the row: with a shared
        lock, two concurrent logins would deadlock.
        """
        self._db.flush()
        self._db.refresh(user, with_for_update={"key_share": True})

    def add_session(self, login_session: UserSession) -> None:
        self._db.add(login_session)
        self._db.flush()

    def add_token(self, token: RefreshToken) -> None:
        self._db.add(token)

    def lock_owner(self, token_hash: str) -> None:
        """Take a shared lock on the row of the token's user, if there is one.

        It waits for a role change, lock or reset that is under way, and holds
        off new ones. Lock the user before the session: role changes, locks and
        resets lock in this order.
        """
        owner = (
            select(User.id)
            .join(UserSession, UserSession.user_id == User.id)
            .join(RefreshToken, RefreshToken.session_id == UserSession.id)
            .where(RefreshToken.token_hash == token_hash)
            .with_for_update(read=True, of=User)
        )
        self._db.execute(owner)

    def lock_session(self, token_hash: str) -> UserSession | None:
        """Return the token's session with its user, and lock the session: one refresh at a time."""
        owner = (
            select(UserSession)
            .join(RefreshToken)
            .where(RefreshToken.token_hash == token_hash)
            .options(joinedload(UserSession.user, innerjoin=True))
            .with_for_update(of=UserSession)
            .execution_options(populate_existing=True)
        )
        return self._db.scalars(owner).first()

    def token(self, token_hash: str) -> RefreshToken | None:
        return self._db.get(RefreshToken, token_hash, populate_existing=True)

    def sessions_of(self, user_id: UUID) -> list[UserSession]:
        """Return the user's open sessions, the most recently used first."""
        open_ones = select(UserSession).where(UserSession.user_id == user_id, UserSession.ended_at.is_(None))
        return list(self._db.scalars(open_ones.order_by(UserSession.last_used_at.desc())))

    def end(
        self, user_id: UUID, reason: str, *, only: UUID | None = None, but: UUID | None = None
    ) -> list[UUID]:
        """End the user's open sessions and revoke their tokens; return the sessions' ids.

        `only`: end just this session. `but`: end all except this session.
        """
        ending = (
            update(UserSession)
            .where(UserSession.user_id == user_id, UserSession.ended_at.is_(None))
            .values(ended_at=utc_now(), end_reason=reason)
            .returning(UserSession.id)
        )
        if only is not None:
            ending = ending.where(UserSession.id == only)
        if but is not None:
            ending = ending.where(UserSession.id != but)
        ended = list(self._db.scalars(ending))
        self._db.add_all(Revocation(session_id=session_id, revoked_at=utc_now()) for session_id in ended)
        return ended

    def revoke_tokens_of(self, user_id: UUID) -> None:
        """Revoke access tokens issued so far. Sessions stay open and get new tokens by a refresh."""
        self._db.add(Revocation(user_id=user_id, revoked_at=utc_now()))

    def valid_refresh_token(self, token_hash: str) -> ValidRefreshToken | None:
        """Find an unspent, unexpired token of an open session, with that session and its user."""
        valid = (
            select(RefreshToken, UserSession, User)
            .join(UserSession, RefreshToken.session_id == UserSession.id)
            .join(User, UserSession.user_id == User.id)
            .where(
                RefreshToken.token_hash == token_hash,
                RefreshToken.spent_at.is_(None),
                RefreshToken.expires_at > utc_now(),
                UserSession.ended_at.is_(None),
            )
        )
        found = self._db.execute(valid).first()
        return ValidRefreshToken(found.RefreshToken, found.UserSession, found.User) if found else None

    def username(self, user_id: UUID) -> str | None:
        return self._db.scalar(select(User.username).where(User.id == user_id))

    def service_client(self, client_id: str) -> ServiceClient | None:
        return self._db.get(ServiceClient, client_id)

    def put_service_client(self, client_id: str, **columns: Any) -> None:
        """Add the service's client, or replace its columns."""
        adding = insert(ServiceClient).values(client_id=client_id, **columns)
        self._db.execute(adding.on_conflict_do_update(index_elements=["client_id"], set_=columns))


class AttemptRepository:
    """Failed attempts, by the key that they count against."""

    def __init__(self, db: Session) -> None:
        self._db = db

    def count(self, key: str, since: datetime) -> int:
        recent = (LoginFailure.key == key) & (LoginFailure.occurred_at > since)
        return self._db.scalar(select(func.count()).select_from(LoginFailure).where(recent)) or 0

    def lock(self, key: str) -> None:
        """Wait until no other transaction counts attempts with this key."""
        self._db.execute(_LOCK_KEY, {"key": key})

    def add(self, keys: Iterable[str]) -> None:
        now = utc_now()
        self._db.add_all(LoginFailure(id=new_id(), key=key, occurred_at=now) for key in keys)

    def delete(self, key: str) -> None:
        self._db.execute(delete(LoginFailure).where(LoginFailure.key == key))
