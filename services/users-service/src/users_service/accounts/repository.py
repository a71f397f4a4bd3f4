"""Queries on accounts."""

from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from users_service.tables import User


class UserRepository:
    def __init__(self, session: Session) -> None:
        self._session = session

    def add(self, user: User) -> None:
        """Write now, so that a taken name shows as IntegrityError here."""
        self._session.add(user)
        self._session.flush()
        self._session.refresh(user)

    def by_id(self, user_id: UUID) -> User | None:
        return self._session.get(User, user_id)

    def by_login(self, login: str) -> User | None:
        """By username or e-mail address, whatever the case."""
        wanted = login.lower()
        named = select(User).where((func.lower(User.username) == wanted) | (func.lower(User.email) == wanted))
        return self._session.scalars(named).first()

    def page(self, after: UUID | None, limit: int) -> list[User]:
        """In the order of registration, one more than `limit` when there is more."""
        users = select(User).order_by(User.id).limit(limit + 1)
        if after is not None:
            users = users.where(User.id > after)
        return list(self._session.scalars(users))
