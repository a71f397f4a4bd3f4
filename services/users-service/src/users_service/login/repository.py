"""Queries on sessions and refresh tokens."""

from uuid import UUID

from sqlalchemy import select, update
from sqlalchemy.orm import Session, joinedload

from cogniflow_kit.ids import utc_now
from users_service.tables import RefreshToken, UserSession


class LoginRepository:
    def __init__(self, session: Session) -> None:
        self._session = session

    def add_session(self, login_session: UserSession) -> None:
        self._session.add(login_session)
        self._session.flush()

    def add_token(self, token: RefreshToken) -> None:
        self._session.add(token)

    def lock_session_of(self, token_hash: str) -> UserSession | None:
        """The token's session with its user, locked: refreshes of one line come one by one."""
        owner = (
            select(UserSession)
            .join(RefreshToken)
            .where(RefreshToken.token_hash == token_hash)
            .options(joinedload(UserSession.user, innerjoin=True))
            .with_for_update(of=UserSession)
        )
        return self._session.scalars(owner).first()

    def token(self, token_hash: str) -> RefreshToken | None:
        return self._session.get(RefreshToken, token_hash, populate_existing=True)

    def end(self, session_id: UUID, user_id: UUID, reason: str) -> None:
        self._session.execute(
            update(UserSession)
            .where(UserSession.id == session_id, UserSession.user_id == user_id)
            .where(UserSession.ended_at.is_(None))
            .values(ended_at=utc_now(), end_reason=reason)
        )
