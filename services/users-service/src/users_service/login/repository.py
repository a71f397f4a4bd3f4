"""Queries on sessions and refresh tokens."""

from uuid import UUID

from sqlalchemy import select, update
from sqlalchemy.orm import Session, joinedload

from cogniflow_kit.ids import utc_now
from users_service.tables import RefreshToken, Revocation, User, UserSession


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
