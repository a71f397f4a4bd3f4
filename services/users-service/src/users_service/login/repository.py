"""Queries on sessions and refresh tokens."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import select, update
from sqlalchemy.orm import Session, joinedload

from cogniflow_kit.ids import utc_now
from cogniflow_kit.sql.database import Database
from cogniflow_kit.sql.prepared import PreparedStatement
from users_service.tables import RefreshToken, Revocation, User, UserSession

# One statement, which commits by itself. The locks are those of `hold_owner_of` and `lock_session_of`, in
# that order. Where a row changed while the statement waited for it, PostgreSQL checks the conditions
# again on the new version, so that of several refreshes at once one finds the token unspent.
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


@dataclass(frozen=True)
class Rotated:
    """Whose refresh token was replaced by its successor."""

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
) -> Rotated | None:
    """Spend a good token and store its successor, in a transaction of its own; None where it isn't good."""
    values = {
        "token_hash": token_hash,
        "successor_hash": successor_hash,
        "now": now,
        "expires_at": expires_at,
        "address": address,
    }
    found = database.run_prepared(_ROTATE, values)
    return None if found is None else Rotated(**found)


class LoginRepository:
    def __init__(self, db: Session) -> None:
        self._db = db

    def add_session(self, login_session: UserSession) -> None:
        self._db.add(login_session)
        self._db.flush()

    def add_token(self, token: RefreshToken) -> None:
        self._db.add(token)

    def hold_owner_of(self, token_hash: str) -> None:
        """Wait for a role change, lock or reset that is under way, and let none begin before this ends.

        Taken before the session's row, in the order in which those take theirs.
        """
        owner = (
            select(User.id)
            .join(UserSession, UserSession.user_id == User.id)
            .join(RefreshToken, RefreshToken.session_id == UserSession.id)
            .where(RefreshToken.token_hash == token_hash)
            .with_for_update(read=True, of=User)
        )
        self._db.execute(owner)

    def lock_session_of(self, token_hash: str) -> UserSession | None:
        """The token's session with its user, locked: refreshes of one line come one by one."""
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
        """Those that haven't ended, the most recently used first."""
        open_ones = select(UserSession).where(UserSession.user_id == user_id, UserSession.ended_at.is_(None))
        return list(self._db.scalars(open_ones.order_by(UserSession.last_used_at.desc())))

    def end(
        self, user_id: UUID, reason: str, *, only: UUID | None = None, but: UUID | None = None
    ) -> list[UUID]:
        """End the user's open sessions, `only` one or all `but` one, with their tokens. Gives their ids."""
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
        """Access tokens issued up to now count no more; sessions go on and get new ones."""
        self._db.add(Revocation(user_id=user_id, revoked_at=utc_now()))
