"""Queries on accounts and one-time tokens."""

from uuid import UUID

from sqlalchemy import delete, func, or_, select, text, update
from sqlalchemy.orm import Session

from cogniflow_kit.sql.database import Database
from cogniflow_kit.sql.prepared import PreparedStatement, json_time
from users_service.tables import USER_TRIGRAMS, OneTimeToken, User

_LOCK_ADMINS = text("SELECT pg_advisory_xact_lock(hashtext('users-administration'))")
_HAS_TRIGRAMS = text(f"{USER_TRIGRAMS} @> users.trigrams(:search)")
_ACCOUNT = PreparedStatement(
    "SELECT row_to_json(account)::text FROM (SELECT id, username, email, full_name, role, is_active,"  # noqa: S608 -- names of columns
    f" {json_time('locked_at')} AS locked_at, {json_time('email_verified_at')} AS email_verified_at,"
    f" {json_time('created_at')} AS created_at, {json_time('last_login')} AS last_login"
    " FROM users WHERE id = :user_id) account"
)


async def account_json(database: Database, user_id: UUID) -> bytes | None:
    """Return the account as the JSON of `UserOut`; None if there is none."""
    return await database.read_json(_ACCOUNT, {"user_id": str(user_id)})


class UserRepository:
    def __init__(self, db: Session) -> None:
        self._db = db

    def add(self, user: User) -> None:
        """Insert the user. Raises: IntegrityError (when the username or e-mail address is taken)."""
        with self._db.begin_nested():
            self._db.add(user)
            self._db.flush()
            self._db.refresh(user)

    def change_email(self, user: User, email: str) -> None:
        """Update the address. Raises: IntegrityError (when it is taken)."""
        with self._db.begin_nested():
            user.email = email
            self._db.flush()

    def by_id(self, user_id: UUID) -> User | None:
        return self._db.get(User, user_id)

    def locked(self, user_id: UUID) -> User | None:
        """Return the user and lock the row until the transaction ends."""
        return self._db.get(User, user_id, with_for_update=True, populate_existing=True)

    def lock(self, user: User) -> None:
        """Lock the user's row until the transaction ends, and read it again."""
        self._db.refresh(user, with_for_update=True)

    def by_email(self, email: str) -> User | None:
        """Find a user by e-mail address, ignoring case."""
        return self._db.scalars(select(User).where(func.lower(User.email) == email.lower())).first()

    def lock_admins(self) -> None:
        """Wait until no other transaction may reduce the number of admins."""
        self._db.execute(_LOCK_ADMINS)

    def other_admin_exists(self, user_id: UUID) -> bool:
        """Return whether an admin other than this user can log in."""
        others = select(User.id).where(
            User.id != user_id, User.role == "admin", User.is_active, User.locked_at.is_(None)
        )
        return self._db.scalars(others.limit(1)).first() is not None

    def page(self, after: UUID | None, limit: int, search: str | None, role: str | None) -> list[User]:
        """Users in order of registration: up to `limit + 1`, so that the caller sees if there are more.

        `search`: part of a username, e-mail address or full name, ignoring case.
        """
        users = select(User).order_by(User.id).limit(limit + 1)
        if after is not None:
            users = users.where(User.id > after)
        if role is not None:
            users = users.where(User.role == role)
        if search is not None:
            columns = (User.username, User.email, User.full_name)
            users = users.where(or_(*(column.icontains(search, autoescape=True) for column in columns)))
            if len(search) >= 3:
                # For the index: it finds the rows with all trigrams of the search.
                users = users.where(_HAS_TRIGRAMS.bindparams(search=search))
        return list(self._db.scalars(users))


class OneTimeTokenRepository:
    def __init__(self, db: Session) -> None:
        self._db = db

    def add(self, token: OneTimeToken) -> None:
        self._db.add(token)

    def lock_owner(self, token_hash: str, *purposes: str) -> User | None:
        """Return the token's user and lock the row: a user's tokens are redeemed one at a time."""
        owner = (
            select(User)
            .join(OneTimeToken, OneTimeToken.user_id == User.id)
            .where(OneTimeToken.token_hash == token_hash, OneTimeToken.purpose.in_(purposes))
            .with_for_update(of=User)
            .execution_options(populate_existing=True)
        )
        return self._db.scalars(owner).first()

    def redeem(self, token_hash: str, *purposes: str) -> OneTimeToken | None:
        """Mark an unused, unexpired token as used and return it; None if there is none."""
        redeeming = (
            update(OneTimeToken)
            .where(
                OneTimeToken.token_hash == token_hash,
                OneTimeToken.purpose.in_(purposes),
                OneTimeToken.used_at.is_(None),
                OneTimeToken.expires_at > func.now(),
            )
            .values(used_at=func.now())
            .returning(OneTimeToken)
        )
        return self._db.scalars(redeeming).first()

    def delete(self, user_id: UUID, *purposes: str) -> None:
        self._db.execute(
            delete(OneTimeToken).where(OneTimeToken.user_id == user_id, OneTimeToken.purpose.in_(purposes))
        )
