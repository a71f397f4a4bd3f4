"""Queries on profiles."""

from typing import Any
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from users_service.accounts.errors import UserNotFound
from users_service.tables import User, UserProfile


class ProfileRepository:
    def __init__(self, db: Session) -> None:
        self._db = db

    def get(self, user_id: UUID) -> UserProfile:
        """Return the profile; the first read inserts it with defaults. Raises: UserNotFound."""
        profile = self._db.get(UserProfile, user_id)
        return profile or self.change(user_id, {})

    def change(self, user_id: UUID, changes: dict[str, Any]) -> UserProfile:
        """Update only these columns, so that a concurrent edit of others isn't lost. Raises: UserNotFound."""
        # The shared lock keeps the account from being erased until the transaction ends.
        account = select(User.id).where(User.id == user_id).with_for_update(key_share=True)
        if self._db.scalar(account) is None:
            raise UserNotFound
        adding = insert(UserProfile).values(user_id=user_id, **changes)
        if changes:
            changed = {**changes, "updated_at": func.now()}
            adding = adding.on_conflict_do_update(index_elements=["user_id"], set_=changed)
        else:
            adding = adding.on_conflict_do_nothing()
        self._db.execute(adding)
        return self._db.get_one(UserProfile, user_id, populate_existing=True)
