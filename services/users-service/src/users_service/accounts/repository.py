"""Queries on accounts."""

from uuid import UUID

from sqlalchemy import func, or_, select
from sqlalchemy.orm import Session

from cogniflow_kit.sql.database import Database
from cogniflow_kit.sql.prepared import PreparedStatement, json_time
from users_service.tables import User

_ACCOUNT = PreparedStatement(
    "SELECT row_to_json(account)::text FROM (SELECT id, username, email, full_name, role, is_active,"  # noqa: S608 -- names of columns
    f" {json_time('locked_at')} AS locked_at, {json_time('email_verified_at')} AS email_verified_at,"
    f" {json_time('created_at')} AS created_at, {json_time('last_login')} AS last_login"
    " FROM users WHERE id = :user_id) account"
)


async def account_json(database: Database, user_id: UUID) -> bytes | None:
    """The account as the JSON of `UserOut`, None without one."""
    return await database.read_json(_ACCOUNT, {"user_id": str(user_id)})


class UserRepository:
    def __init__(self, db: Session) -> None:
        self._db = db

    def add(self, user: User) -> None:
        """Write now, so that a taken name shows as IntegrityError here."""
        self._db.add(user)
        self._db.flush()
        self._db.refresh(user)

    def by_id(self, user_id: UUID) -> User | None:
        return self._db.get(User, user_id)

    def locked(self, user_id: UUID) -> User | None:
        return self._db.get(User, user_id, with_for_update=True, populate_existing=True)

    def has_admin_beside(self, user_id: UUID) -> bool:
        """Whether somebody else is an admin and may log in."""
        others = select(User.id).where(
            User.id != user_id, User.role == "admin", User.is_active, User.locked_at.is_(None)
        )
        return self._db.scalars(others.limit(1)).first() is not None

    def by_login(self, login: str) -> User | None:
        """By username or e-mail address, whatever the case."""
        wanted = login.lower()
        named = select(User).where((func.lower(User.username) == wanted) | (func.lower(User.email) == wanted))
        return self._db.scalars(named).first()

    def by_email(self, email: str) -> User | None:
        """Whatever the case."""
        return self._db.scalars(select(User).where(func.lower(User.email) == email.lower())).first()

    def page(self, after: UUID | None, limit: int, search: str | None, role: str | None) -> list[User]:
        """In the order of registration, one more than `limit` when there is more.

        `search`: part of a username, e-mail address or full name, whatever the case.
        """
        users = select(User).order_by(User.id).limit(limit + 1)
        if after is not None:
            users = users.where(User.id > after)
        if role is not None:
            users = users.where(User.role == role)
        if search is not None:
            named = (User.username, User.email, User.full_name)
            users = users.where(or_(*(column.icontains(search, autoescape=True) for column in named)))
        return list(self._db.scalars(users))
